/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of KUnit as tests/kunit uses, in user space: the suites run as they are
 * under GoogleTest (units.cc) with sanitizers, in seconds and without a kernel.
 */
#ifndef LPAR_FUZZ_KUNIT_TEST_H
#define LPAR_FUZZ_KUNIT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KUNIT_PARAM_DESC_SIZE	128
#define GFP_KERNEL		0
#define __maybe_unused		__attribute__((unused))

struct kunit {
	const void *param_value;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	const char name[256];
	struct kunit_case *test_cases;
};

void kunit_user_register(struct kunit_suite *suite);
void kunit_user_fail(const char *file, int line, bool abort_case,
		     const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#define KUNIT_CASE(f)		{ .run_case = f, .name = #f }
#define KUNIT_CASE_PARAM(f, g)	{ .run_case = f, .name = #f, .generate_params = g }

#define KUNIT_ARRAY_PARAM(name, array, get_desc)			\
static const void *name##_gen_params(const void *prev, char *desc)	\
{									\
	const __typeof__((array)[0]) *next = prev;			\
									\
	next = next ? next + 1 : (array);				\
	if (next == (array) + sizeof(array) / sizeof((array)[0]))	\
		return NULL;						\
	get_desc(next, desc);						\
	return next;							\
}

#define kunit_test_suite(suite)						\
__attribute__((constructor)) static void register_##suite(void)	\
{									\
	kunit_user_register(&suite);					\
}

static inline void *kunit_kzalloc(struct kunit *test, size_t size, int gfp)
{
	void *kunit_user_alloc(size_t size);

	(void)test;
	(void)gfp;
	return kunit_user_alloc(size);
}

static inline void kunit_kfree(struct kunit *test, const void *p)
{
	void kunit_user_free(const void *p);

	(void)test;
	kunit_user_free(p);
}

#define KUNIT_USER_TRUE(abort_case, condition, what, format, ...)	\
do {									\
	if (!(condition))						\
		kunit_user_fail(__FILE__, __LINE__, abort_case,		\
				"%s: " format, what, ##__VA_ARGS__);	\
} while (0)

/* Both sides once, and their values in the message. */
#define KUNIT_USER_CMP(abort_case, a, op, b, format, ...)		\
do {									\
	__typeof__((a) + 0) left = (a);					\
	__typeof__((b) + 0) right = (b);				\
									\
	if (!(left op right))						\
		kunit_user_fail(__FILE__, __LINE__, abort_case,		\
				"%s %s %s, but %lld and %lld. " format,	\
				#a, #op, #b, (long long)left,		\
				(long long)right, ##__VA_ARGS__);	\
} while (0)

#define KUNIT_FAIL(test, ...)						\
	kunit_user_fail(__FILE__, __LINE__, false, __VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, c)	KUNIT_USER_TRUE(false, c, #c, "no")
#define KUNIT_EXPECT_FALSE(test, c)	KUNIT_USER_TRUE(false, !(c), #c, "yes")
#define KUNIT_EXPECT_NULL(test, p)	KUNIT_USER_TRUE(false, !(p), #p, "not NULL")
#define KUNIT_EXPECT_NOT_NULL(test, p)	KUNIT_USER_TRUE(false, p, #p, "NULL")
#define KUNIT_ASSERT_TRUE(test, c)	KUNIT_USER_TRUE(true, c, #c, "no")
#define KUNIT_ASSERT_NOT_NULL(test, p)	KUNIT_USER_TRUE(true, p, #p, "NULL")
#define KUNIT_EXPECT_TRUE_MSG(test, c, ...)				\
	KUNIT_USER_TRUE(false, c, #c, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(test, c, ...)				\
	KUNIT_USER_TRUE(false, !(c), "not " #c, __VA_ARGS__)
#define KUNIT_EXPECT_STREQ(test, a, b)					\
	KUNIT_USER_TRUE(false, !strcmp(a, b), #a, "\"%s\" is not \"%s\"", a, b)

#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_USER_CMP(false, a, ==, b, "")
#define KUNIT_EXPECT_NE(test, a, b)	KUNIT_USER_CMP(false, a, !=, b, "")
#define KUNIT_EXPECT_LT(test, a, b)	KUNIT_USER_CMP(false, a, <, b, "")
#define KUNIT_EXPECT_LE(test, a, b)	KUNIT_USER_CMP(false, a, <=, b, "")
#define KUNIT_EXPECT_GT(test, a, b)	KUNIT_USER_CMP(false, a, >, b, "")
#define KUNIT_EXPECT_GE(test, a, b)	KUNIT_USER_CMP(false, a, >=, b, "")
#define KUNIT_ASSERT_EQ(test, a, b)	KUNIT_USER_CMP(true, a, ==, b, "")
#define KUNIT_ASSERT_LT(test, a, b)	KUNIT_USER_CMP(true, a, <, b, "")
#define KUNIT_ASSERT_LE(test, a, b)	KUNIT_USER_CMP(true, a, <=, b, "")
#define KUNIT_ASSERT_GT(test, a, b)	KUNIT_USER_CMP(true, a, >, b, "")
#define KUNIT_ASSERT_GE(test, a, b)	KUNIT_USER_CMP(true, a, >=, b, "")
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)				\
	KUNIT_USER_CMP(false, a, ==, b, __VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(test, a, b, ...)				\
	KUNIT_USER_CMP(false, a, !=, b, __VA_ARGS__)
#define KUNIT_EXPECT_GT_MSG(test, a, b, ...)				\
	KUNIT_USER_CMP(false, a, >, b, __VA_ARGS__)
#define KUNIT_EXPECT_GE_MSG(test, a, b, ...)				\
	KUNIT_USER_CMP(false, a, >=, b, __VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(test, a, b, ...)				\
	KUNIT_USER_CMP(false, a, <=, b, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
