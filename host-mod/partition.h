/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_PARTITION_H
#define LPAR_HOST_PARTITION_H

#include <linux/configfs.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/uidgid.h>
#include <linux/un.h>

#include "adjunct.h"
#include "client.h"
#include "stats.h"

#define LPAR_QUANTUM_MIN_US	100
#define LPAR_QUANTUM_MAX_US	1000000
#define LPAR_QUANTUM_DEFAULT_US	1000
#define LPAR_MEMORY_DEFAULT	(1ull << 30)

/**
 * struct lpar_partition - a client partition as the administrator named it
 *
 * Lives as long as its configfs item; an attached client holds the item, and
 * configfs refuses to remove it meanwhile.
 *
 * @group:        its configfs item, whose release frees the structure
 * @disks_group:  the default group "disks" below it
 * @nics_group:   likewise "nics"
 * @vfs_group:    likewise "vfs": mailboxes
 * @policy_group: likewise "policy"
 * @id:           its number for tracing; not used again
 * @link:         in the list of all partitions; under partitions_lock
 * @node:         folder in sysfs
 * @disks_node:   its folder "disks"
 * @nics_node:    its folder "nics"
 * @adjuncts_node: its folder "adjuncts"
 * @vfs_node:     its folder "vfs"
 * @stats_node:   its folder "stats"
 * @config:       one change at a time: attributes, functions, attach and detach.
 *                Outermost of the partition's own
 * @client:       who is attached, or NULL; changes under @config and @lock
 * @memory_limit: bytes that may be pinned; changes under @config, without client
 * @quantum_us:   longest service per donation, microseconds; likewise
 * @adjuncts:     how many adjuncts that are images it may have; likewise
 * @own_images:   its client may bring images of its own; likewise
 * @owner:        who may attach, besides CAP_SYS_ADMIN; likewise
 * @role:         what it may do; likewise
 * @qmp:          where its guest's VMM listens, for tools: we make no use of it;
 *                under @config
 * @policy:       what becomes of its requests for its VFs; under @lock
 * @asked:        requests that it has, ended ones included; mailbox.c's
 * @last_request: number of its last one; likewise
 * @last_id:      the last function's number; under @lock
 * @chosen_until: until when what its clients chose of NICs takes, see
 *                lpar_core_choice_ns(); under the client's lock
 * @shown_until:  likewise, of what workers do for its clients' queues
 * @attached_until: likewise, of what attaching takes of the host; under @config
 * @lock:         protects @functions and their state; held shortly, inside the
 *                client's lock
 * @functions:    lpar_fn.link of the enabled ones
 * @leaving:      lpar_fn.link of those whose requests are waited for: of no
 *                use to anybody, but still counted
 * @adjunct:      where they may be
 * @pinned:       bytes pinned now
 * @tags:         its part of the tag range; tag.c's
 * @past:         counters of functions that are gone; under @lock
 * @doorbells:    rung by clients that are gone
 * @calls:        carried out
 * @call_ns:      CPU time that was donated for them, ns
 * @says:         lpar_partition_say()'s
 */
struct lpar_partition {
	struct config_group group;
	struct config_group disks_group;
	struct config_group nics_group;
	struct config_group vfs_group;
	struct config_group policy_group;
	u32 id;
	struct list_head link;
	struct lpar_node *node;
	struct lpar_node *disks_node;
	struct lpar_node *nics_node;
	struct lpar_node *adjuncts_node;
	struct lpar_node *vfs_node;
	struct lpar_node *stats_node;

	struct mutex config;		/* see above */
	struct lpar_client *client;
	u64 memory_limit;
	u32 quantum_us;
	u32 adjuncts;
	bool own_images;
	kuid_t owner;
	enum lpar_role role;
	char qmp[UNIX_PATH_MAX];
	u32 last_id;
	u64 chosen_until;
	u64 shown_until;
	u64 attached_until;

	struct mutex lock;		/* functions, policy; client, with config */
	struct lpar_policy policy;
	struct list_head functions;
	struct list_head leaving;

	struct lpar_adjunct adjunct[LPAR_ADJUNCTS_MAX];
	u32 asked;
	u32 last_request;

	atomic64_t pinned;
	struct lpar_tag_share tags;
	struct lpar_stats past;
	atomic64_t doorbells;
	atomic64_t calls;
	atomic64_t call_ns;
	struct ratelimit_state says;
};

static inline const char *lpar_partition_name(struct lpar_partition *p)
{
	return config_item_name(&p->group.cg_item);
}

/* A partition's client can cause so many lines in the log. */
#define LPAR_PARTITION_SAYS_MAX		10
#define LPAR_PARTITION_SAYS_PERIOD	(60 * HZ)

/**
 * lpar_partition_say - a line in the host's log that a client can cause
 * @p:     the client's partition; its share alone is used up
 * @level: warn, info, ...
 * @fmt:   text, which begins with the partition's name
 *
 * Context: any.
 */
#define lpar_partition_say(p, level, fmt, ...)					\
do {										\
	if (__ratelimit(&(p)->says))						\
		pr_##level(fmt, ##__VA_ARGS__);					\
} while (0)

/* configfs: the administrator's intent. */
int lpar_config_init(void);
void lpar_config_exit(void);
struct lpar_partition *lpar_config_get(const char *name);
void lpar_config_put(struct lpar_partition *p);

int lpar_partition_set_role(struct lpar_partition *p, enum lpar_role role);
int lpar_partition_setup(struct lpar_partition *p);
void lpar_partition_teardown(struct lpar_partition *p);
void lpar_partition_event_locked(struct lpar_partition *p);
int lpar_partition_init(struct kobject *parent);
void lpar_partition_exit(void);

#endif
