/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_IMAGE_H
#define LPAR_HOST_IMAGE_H

#include <linux/configfs.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <crypto/sha2.h>

struct file;

/**
 * struct lpar_blob - the bytes of an image; they do not change
 * @ref:    who holds it: its item, who copies it, and files of its text
 * @users:  those files: adjuncts that share it
 * @bytes:  how many
 * @sha256: of them
 * @data:   them, in whole pages that can be mapped
 */
struct lpar_blob {
	struct kref ref;
	atomic_t users;
	size_t bytes;
	u8 sha256[SHA256_DIGEST_SIZE];
	void *data;
};

extern const struct config_item_type lpar_image_type;

struct lpar_blob *lpar_image_find(const char *name, bool *global);
struct file *lpar_image_text(struct lpar_blob *blob);
void lpar_image_put(struct lpar_blob *blob);

#endif
