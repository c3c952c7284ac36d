/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_ERRAND_H
#define LPAR_HOST_ERRAND_H

int lpar_errand(int (*run)(void *arg), void *arg);
int lpar_errand_in_turn(int (*run)(void *arg), void *arg);
int lpar_errand_init(void);
void lpar_errand_exit(void);

#endif
