/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_MANAGE_H
#define LPAR_HOST_MANAGE_H

int lpar_manage_init(void);
void lpar_manage_exit(void);

#endif
