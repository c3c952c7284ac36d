/* SPDX-License-Identifier: GPL-2.0 */
/* Calls to the partition manager. */
#ifndef LPAR_GUEST_CHANNEL_H
#define LPAR_GUEST_CHANNEL_H

#include "device.h"

#define LPAR_CHANNEL_DATA sizeof_field(struct lpar_call, data)

/**
 * struct lpar_result - a private copy of what a call gave
 * @status:  enum lpar_status, not validated
 * @ret:     results
 * @out_len: bytes of data, at most what there was room for
 */
struct lpar_result {
	u32 status;
	u64 ret[3];
	u32 out_len;
};

int lpar_channel_init(struct lpar_device *dev);
void lpar_channel_free(struct lpar_device *dev);
int lpar_channel_open(struct lpar_device *dev);
int lpar_channel_reset(struct lpar_device *dev, unsigned long timeout);
int lpar_channel_call(struct lpar_device *dev, enum lpar_op op,
		      const u64 arg[5], struct lpar_result *result, void *data);
int lpar_channel_exchange(struct lpar_device *dev, enum lpar_op op,
			  const u64 arg[5], const void *in, u32 in_len,
			  struct lpar_result *result, void *data);
unsigned long lpar_channel_patience(void);
int lpar_channel_errno(u32 status);

#endif
