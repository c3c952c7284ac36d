/* SPDX-License-Identifier: GPL-2.0 */
/* What core.h takes from the kernel's headers, for its user-space builds. */
#ifndef LPAR_HOST_USER_H
#define LPAR_HOST_USER_H

#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define le16_to_cpu(x) le16toh(x)
#define le32_to_cpu(x) le32toh(x)
#define le64_to_cpu(x) le64toh(x)
#define cpu_to_le16(x) htole16(x)
#define cpu_to_le32(x) htole32(x)
#define cpu_to_le64(x) htole64(x)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
