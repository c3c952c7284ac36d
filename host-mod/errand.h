/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_ERRAND_H
#define LPAR_HOST_ERRAND_H

int lpar_errand(int (*run)(void *arg), void *arg);

#endif
