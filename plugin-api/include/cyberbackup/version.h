/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of the plugin ABI. Written once, here; CMake reads the numbers out of this file.
 *
 * The major is part of the entry symbol's name (cb_plugin_entry_v1). The minor grows when something
 * is appended. Until CB_ABI_DRAFT is 0 the version is "1.0-draft" and may still change.
 */
#ifndef CYBERBACKUP_VERSION_H
#define CYBERBACKUP_VERSION_H

#define CB_ABI_MAJOR 1
#define CB_ABI_MINOR 0
#define CB_ABI_DRAFT 1

/* Name of the one symbol that a plugin exports. */
#define CB_ENTRY_SYMBOL "cb_plugin_entry_v1"

#endif /* CYBERBACKUP_VERSION_H */
