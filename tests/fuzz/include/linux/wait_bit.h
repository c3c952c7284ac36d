/* SPDX-License-Identifier: GPL-2.0 */
/* In one thread nobody waits: what is waited for must be so already. */
#ifndef LPAR_FUZZ_WAIT_BIT_H
#define LPAR_FUZZ_WAIT_BIT_H

#include <stdlib.h>

#define wake_up_var(v)				((void)(v))
#define wait_var_event(v, condition)		((condition) ? (void)0 : abort())
#define wait_var_event_killable(v, condition)	((condition) ? 0 : (abort(), 0))

#endif
