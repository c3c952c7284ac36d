// SPDX-License-Identifier: GPL-2.0
/* Heads of images: what an adjunct may be made of. */
#include "suites.h"

static struct lpar_image good(void)
{
	return (struct lpar_image){
		.magic = cpu_to_le32(LPAR_IMAGE_MAGIC),
		.abi = cpu_to_le32(LPAR_IMAGE_ABI),
		.text_pages = cpu_to_le32(2),
		.data_pages = cpu_to_le32(1),
		.bss_pages = cpu_to_le32(3),
		.stack_pages = cpu_to_le32(1),
		.entry = cpu_to_le32(64),
	};
}

static void image_good(struct kunit *test)
{
	struct lpar_image head = good();

	KUNIT_EXPECT_EQ(test, lpar_core_image(&head, 3 << 12), 7);
	/* no data, no bss; the last byte of the text; the most pages */
	head.data_pages = 0;
	head.bss_pages = 0;
	head.entry = cpu_to_le32((2 << 12) - 1);
	KUNIT_EXPECT_EQ(test, lpar_core_image(&head, 2 << 12), 3);
	head.bss_pages = cpu_to_le32(LPAR_ADJUNCT_PAGES_MAX - 3);
	KUNIT_EXPECT_EQ(test, lpar_core_image(&head, 2 << 12),
			(int)LPAR_ADJUNCT_PAGES_MAX);
}

static void image_size(struct kunit *test)
{
	static const u64 sizes[] = {
		0, 63, 2 << 12, (3 << 12) - 1, (3 << 12) + 1, 4 << 12,
		(1ull << 32) + (3 << 12), ~0ull,
	};
	struct lpar_image head = good();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_image(&head, sizes[i]), -EINVAL,
				    "%llu bytes", sizes[i]);
}

/* Each word of the head by itself, with what it must not be. */
static void image_words(struct kunit *test)
{
	static const struct {
		unsigned int word;
		u32 value;
	} bad[] = {
		{ 0, 0 }, { 0, LPAR_IMAGE_MAGIC + 1 }, { 1, 0 }, { 1, 2 },
		{ 2, 0 }, { 2, 3 }, { 2, 0xfffffffe }, { 2, 0x100002 },
		{ 3, 0 }, { 3, 2 }, { 3, 0xffffffff }, { 3, 0x100001 },
		{ 4, LPAR_ADJUNCT_PAGES_MAX - 3 }, { 4, 0xffffffff }, { 4, 0xfffffffc },
		{ 5, 0 }, { 5, LPAR_ADJUNCT_PAGES_MAX }, { 5, 0xffffffff },
		{ 6, 0 }, { 6, 63 }, { 6, 2 << 12 }, { 6, 0xffffffff },
	};
	struct lpar_image head;
	__le32 *words = (__le32 *)&head;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		head = good();
		words[bad[i].word] = cpu_to_le32(bad[i].value);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_image(&head, 3 << 12), -EINVAL,
				    "word %u is %#x", bad[i].word, bad[i].value);
	}
	/* whatever device it drives */
	head = good();
	words[7] = cpu_to_le32(0x11e81234);
	KUNIT_EXPECT_GT(test, lpar_core_image(&head, 3 << 12), 0);
	for (i = 8; i < sizeof(head) / 4; i++) {
		head = good();
		words[i] = cpu_to_le32(1u << (i + 15));
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_image(&head, 3 << 12), -EINVAL,
				    "reserved word %u", i);
	}
}

/* What a VMM says of an adjunct with it: each state × names. */
static void image_told(struct kunit *test)
{
	static const struct {
		char name[LPAR_NAME_MAX];
		bool name_ok;
	} names[] = {
		{ "sums", true }, { "a b~", true }, { "", false }, { "a\n", false },
		{ "\x7f", false }, { "\x80", false }, { "\x1f" "x", false },
	};
	char full[LPAR_NAME_MAX];
	unsigned int i;
	u32 state;

	for (state = 0; state < 6; state++)
		for (i = 0; i < ARRAY_SIZE(names); i++)
			KUNIT_EXPECT_EQ_MSG(test, lpar_core_told(state, names[i].name),
					    state == LPAR_ADJUNCT_EMPTY ? !names[i].name[0] :
					    state <= LPAR_ADJUNCT_DEAD && names[i].name_ok,
					    "state %u, name %u", state, i);
	KUNIT_EXPECT_FALSE(test, lpar_core_told(~0u, names[0].name));
	/* one that does not end */
	memset(full, 'a', sizeof(full));
	KUNIT_EXPECT_FALSE(test, lpar_core_told(LPAR_ADJUNCT_READY, full));
	full[sizeof(full) - 1] = '\0';
	KUNIT_EXPECT_TRUE(test, lpar_core_told(LPAR_ADJUNCT_READY, full));
}

static struct kunit_case image_cases[] = {
	KUNIT_CASE(image_good),
	KUNIT_CASE(image_size),
	KUNIT_CASE(image_words),
	KUNIT_CASE(image_told),
	{}
};

static struct kunit_suite image_suite = {
	.name = "lpar_image",
	.test_cases = image_cases,
};
kunit_test_suite(image_suite);
