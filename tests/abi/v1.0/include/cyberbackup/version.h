/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of the plugin ABI. Written once, here; CMake reads the numbers out of this file.
 *
 * The major is part of the entry symbol's name (cb_plugin_entry_v1). The minor grows when something
 * is appended. With CB_ABI_DRAFT 0 the version is released and never changes. With 1 it is in work:
 * what it appended to the last release may still change.
 */
#ifndef CYBERBACKUP_VERSION_H
#define CYBERBACKUP_VERSION_H

#define CB_ABI_MAJOR 1 /* a binary built for one major never loads into another */
#define CB_ABI_MINOR 0 /* grows by one with each release that appends something */
#define CB_ABI_DRAFT 0 /* 1 while this version is in work, 0 once it is released */

/* Name of the one symbol that a plugin exports. */
#define CB_ENTRY_SYMBOL "cb_plugin_entry_v1"

#endif /* CYBERBACKUP_VERSION_H */
