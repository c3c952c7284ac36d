/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_CONTROL_H
#define LPAR_HOST_CONTROL_H

int lpar_control_init(void);
void lpar_control_exit(void);

#endif
