/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_IMAGE_H
#define LPAR_HOST_IMAGE_H

#include <linux/configfs.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <crypto/sha2.h>

/**
 * struct lpar_blob - the bytes of an image; they do not change
 * @ref:    who holds it: its item, and who copies it
 * @bytes:  how many
 * @sha256: of them
 * @data:   them
 */
struct lpar_blob {
	struct kref ref;
	size_t bytes;
	u8 sha256[SHA256_DIGEST_SIZE];
	u8 data[];
};

extern const struct config_item_type lpar_image_type;

struct lpar_blob *lpar_image_find(const char *name);
void lpar_image_put(struct lpar_blob *blob);

#endif
