/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up SDK, on which the guards of the ABI are tested: see guard-fixtures. */
#ifndef FIXTURE_VERSION_H
#define FIXTURE_VERSION_H

#define CB_ABI_MAJOR 1 /* the major */
#define CB_ABI_MINOR 0 /* the minor */
#define CB_ABI_DRAFT 0 /* as if it were released */

#endif
