// SPDX-License-Identifier: GPL-2.0
/* What may be asked for a VF, and what becomes of it; see core_mailbox.h. */
#include "core_mailbox.h"
#include "core_nic.h"
#include "records.h"

#define NIC	(1u << LPAR_VF_NIC)
#define NVME	(1u << LPAR_VF_NVME)

/* What can be done to a VF at all: to which kinds of it, and with which values. */
static const struct {
	const char *name;
	u32 kinds;
	u64 min;
	u64 max;
} asks[LPAR_ASKS] = {
	[LPAR_ASK_MAC]	  = { "mac", NIC, 1, 0xffffffffffff },
	[LPAR_ASK_VLAN]	  = { "vlan", NIC, 0, LPAR_VLAN_MAX },
	[LPAR_ASK_MTU]	  = { "mtu", NIC, 68, 65535 },
	[LPAR_ASK_RATE]	  = { "rate", NIC, 0, 0xffffffff },
	[LPAR_ASK_QUEUES] = { "queues", NVME, 1, 65534 },
	[LPAR_ASK_ATTACH] = { "attach", NVME, 1, 0xfffffffe },
	[LPAR_ASK_DETACH] = { "detach", NVME, 1, 0xfffffffe },
	[LPAR_ASK_RESET]  = { "reset", NIC | NVME, 0, 0 },
};

/* In one word, as in configfs; NULL: there is no such thing. Pure. */
const char *lpar_core_ask_name(u32 ask)
{
	return ask < LPAR_ASKS ? asks[ask].name : NULL;
}

/* The values that a VF of this kind could have. Pure. Return: can it be asked for? */
bool lpar_core_ask_range(u32 kind, u32 ask, u64 *min, u64 *max)
{
	if (!ask || ask >= LPAR_ASKS || kind > LPAR_VF_NVME ||
	    !(asks[ask].kinds & 1u << kind))
		return false;
	*min = asks[ask].min;
	*max = asks[ask].max;
	return true;
}

/* ------------------------------------------------------------------- rules */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Six pairs of digits. Return: behind them, or NULL. */
static const char *parse_mac(const char *at, u64 *value)
{
	u64 mac = 0;
	int i;

	for (i = 0; i < 6; i++, at += 2) {
		if (i && *at++ != ':')
			return NULL;
		if (digit(at[0]) < 0 || digit(at[1]) < 0)
			return NULL;
		mac = mac << 8 | (u64)digit(at[0]) << 4 | (u64)digit(at[1]);
	}
	*value = mac;
	return at;
}

/* A decimal number of 32 bits. Return: behind it, or NULL. */
static const char *parse_number(const char *at, u64 *value)
{
	u64 number = 0;

	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (u64)(*at - '0');
		if (number > 0xffffffff)
			return NULL;
	}
	*value = number;
	return at;
}

static const char *parse_value(const char *at, u32 ask, u64 *value)
{
	return ask == LPAR_ASK_MAC ? parse_mac(at, value) : parse_number(at, value);
}

static const char *const words[] = {
	[LPAR_RULE_ASK] = "ask",
	[LPAR_RULE_ALLOW] = "allow",
	[LPAR_RULE_REFUSE] = "refuse",
};

/**
 * lpar_core_rule_parse - a rule as the administrator writes it
 * @text: "ask", "allow" or "refuse", a range of values behind the first two if others
 *        are to be refused: "allow 5-9", "ask 7"; perhaps a newline at the end
 * @ask:  enum lpar_ask, valid
 * @rule: the result; as it was if @text is none
 *
 * Context: any; pure.
 * Return: is it one?
 */
bool lpar_core_rule_parse(const char *text, u32 ask, struct lpar_rule *rule)
{
	struct lpar_rule new = {};
	const char *at = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if (strncmp(text, words[i], n))
			continue;
		at = text + n;
		new.word = i;
		break;
	}
	if (!at)
		return false;
	if (*at == ' ' && new.word != LPAR_RULE_REFUSE) {
		new.limited = true;
		at = parse_value(at + 1, ask, &new.min);
		new.max = new.min;
		if (at && *at == '-')
			at = parse_value(at + 1, ask, &new.max);
		if (!at || new.min > new.max)
			return false;
	}
	if (*at == '\n')
		at++;
	if (*at)
		return false;
	*rule = new;
	return true;
}

static void value_text(char *to, size_t size, u32 ask, u64 value)
{
	if (ask != LPAR_ASK_MAC) {
		snprintf(to, size, "%llu", (unsigned long long)value);
		return;
	}
	snprintf(to, size, "%02x:%02x:%02x:%02x:%02x:%02x",
		 (unsigned int)(value >> 40 & 0xff), (unsigned int)(value >> 32 & 0xff),
		 (unsigned int)(value >> 24 & 0xff), (unsigned int)(value >> 16 & 0xff),
		 (unsigned int)(value >> 8 & 0xff), (unsigned int)(value & 0xff));
}

/* The opposite of lpar_core_rule_parse(), without a newline. @size: LPAR_RULE_TEXT.
 * Return: its length. */
int lpar_core_rule_text(char *to, size_t size, u32 ask, const struct lpar_rule *rule)
{
	char min[24], max[24];

	if (!rule->limited)
		return snprintf(to, size, "%s", words[rule->word]);
	value_text(min, sizeof(min), ask, rule->min);
	value_text(max, sizeof(max), ask, rule->max);
	return snprintf(to, size, "%s %s-%s", words[rule->word], min, max);
}

/**
 * lpar_core_ask - a client asks for something: what becomes of it?
 * @policy: the partition's
 * @kind:   of the VF, enum lpar_vf_kind
 * @ask:    what, as the client wrote it
 * @value:  likewise
 * @word:   with LPAR_OK: LPAR_RULE_ALLOW or LPAR_RULE_ASK
 *
 * Context: any; pure.
 * Return: LPAR_OK; LPAR_INVAL, NOTSUPP (not of this kind), RANGE (impossible value),
 * PERM (by @policy, see lpar_core_ask_why()).
 */
enum lpar_status lpar_core_ask(const struct lpar_policy *policy, u32 kind, u64 ask,
			       u64 value, enum lpar_rule_word *word)
{
	const struct lpar_rule *rule;
	u64 min, max;

	if (!ask || ask >= LPAR_ASKS)
		return LPAR_INVAL;
	if (!lpar_core_ask_range(kind, (u32)ask, &min, &max))
		return LPAR_NOTSUPP;
	if (value < min || value > max ||
	    (ask == LPAR_ASK_MAC && !lpar_core_mac_ok(value)))
		return LPAR_RANGE;
	rule = &policy->rule[ask];
	if (rule->word == LPAR_RULE_REFUSE ||
	    (rule->limited && (value < rule->min || value > rule->max)))
		return LPAR_PERM;
	*word = rule->word;
	return LPAR_OK;
}

/* Why @rule does not allow it, in words. Return: bytes, without a zero. */
int lpar_core_ask_why(char *to, size_t size, u32 ask, const struct lpar_rule *rule)
{
	char min[24], max[24];
	int n;

	if (rule->word == LPAR_RULE_REFUSE) {
		n = snprintf(to, size, "the partition's policy refuses %s", asks[ask].name);
	} else {
		value_text(min, sizeof(min), ask, rule->min);
		value_text(max, sizeof(max), ask, rule->max);
		n = snprintf(to, size, "the partition's policy takes %s from %s to %s only",
			     asks[ask].name, min, max);
	}
	return n < (int)size ? n : (int)size - 1;
}

/**
 * lpar_core_mailbox_records - write a mailbox's records
 * @buf:    where to, 8-byte aligned
 * @size:   its bytes
 * @name:   the VF's address
 * @kind:   enum lpar_vf_kind
 * @policy: the partition's
 * @now:    what its VF has, by enum lpar_ask
 * @known:  which of these are known, as bits
 *
 * Context: any; pure.
 * Return: bytes written, or -ENOSPC.
 */
int lpar_core_mailbox_records(void *buf, size_t size, const char *name, u32 kind,
			      const struct lpar_policy *policy, const u64 *now,
			      u32 known)
{
	struct lpar_writer w = { .at = buf, .left = size };
	u64 min, max, cur;
	u32 ask;

	lpar_put_text(&w, LPAR_CAP_NAME, name);
	lpar_put_fixed(&w, LPAR_CAP_VF_KIND, kind);
	for (ask = 1; ask < LPAR_ASKS; ask++) {
		const struct lpar_rule *rule = &policy->rule[ask];

		if (!lpar_core_ask_range(kind, ask, &min, &max) ||
		    rule->word == LPAR_RULE_REFUSE)
			continue;
		if (rule->limited && rule->min > min)
			min = rule->min;
		if (rule->limited && rule->max < max)
			max = rule->max;
		/* a range that no value is in */
		if (min > max)
			continue;
		cur = known & 1u << ask ? now[ask] : min;
		lpar_put_value(&w, LPAR_CAP_ASK + ask, min, max, cur);
	}
	return w.full ? -ENOSPC : (int)(size - w.left);
}

/* ------------------------------------------------------------------ MANAGE */

/**
 * lpar_core_piece - a piece of a MANAGE text: may it be taken, and how much of it?
 * @role:   the partition's
 * @pieces: what has come
 * @open:   the last text has not been forgotten
 * @offset: of the piece, as the client wrote it
 * @total:  of the text, likewise
 * @room:   bytes that a piece can have
 * @n:      with LPAR_OK: bytes of the piece; @offset 0: the text begins anew
 *
 * Context: any; pure.
 * Return: LPAR_OK; LPAR_PERM: not for this partition; LPAR_INVAL; LPAR_BUSY; LPAR_STATE:
 * not the piece that comes next.
 */
enum lpar_status lpar_core_piece(enum lpar_role role, const struct lpar_pieces *pieces,
				 bool open, u64 offset, u64 total, u32 room, u32 *n)
{
	*n = 0;
	if (role != LPAR_ROLE_MANAGEMENT)
		return LPAR_PERM;
	if (!total || total > LPAR_MANAGE_TEXT || offset >= total)
		return LPAR_INVAL;
	if (open)
		return LPAR_BUSY;
	if (offset && (offset != pieces->have || total != pieces->total))
		return LPAR_STATE;
	*n = total - offset < room ? (u32)(total - offset) : room;
	return LPAR_OK;
}
