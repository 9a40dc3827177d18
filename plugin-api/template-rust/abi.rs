// SPDX-License-Identifier: Apache-2.0
//! The C headers cyberbackup/base.h and cyberbackup/compress.h, as far as a compressor in one shot
//! needs them, written down by hand. `layout.c` and the test `layout_is_that_of_the_headers` compare
//! every offset, size and constant. What the members mean is said in the headers.
#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_void};

pub type cb_status = i32;

pub const CB_OK: cb_status = 0;
pub const CB_E_CORRUPT: cb_status = -7;
pub const CB_E_NO_MEMORY: cb_status = -12;
pub const CB_E_LIMIT: cb_status = -14;
pub const CB_E_TOO_SMALL: cb_status = -15;
pub const CB_E_INTERNAL: cb_status = -18;

pub const CB_ERROR_RETRY: u32 = 1;
pub const CB_ERROR_PERMANENT: u32 = 2;
pub const CB_OPTION_SIZE: u32 = 3;
pub const CB_ABI_MINOR: u32 = 0;
pub const CB_ENTRY_MAGIC: u32 = 0x3150_4243;

#[repr(C)]
pub struct cb_error {
    pub size: u32,
    pub status: cb_status,
    pub os_errno: i32,
    pub flags: u32,
    pub message: [u8; 496],
}

#[repr(C)]
pub struct cb_option {
    pub key: *const c_char,
    pub help: *const c_char,
    pub def: *const c_char,
    pub choices: *const c_char,
    pub min: i64,
    pub max: i64,
    pub type_: u32,
    pub flags: u32,
}

#[repr(C)]
pub struct cb_value {
    pub type_: u32,
    pub is_set: u32,
    pub number: i64,
    pub text: *const c_char,
    pub length: usize,
}

#[repr(C)]
pub struct cb_config {
    pub size: u32,
    pub value_size: u32,
    pub count: u32,
    pub reserved: u32,
    pub values: *const cb_value,
}

#[repr(C)]
pub struct cb_host {
    pub size: u32,
    pub abi_minor: u32,
    pub ctx: *mut c_void,
    pub name: *const c_char,
    pub version: *const c_char,
    pub log: Option<unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize)>,
    pub random: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> cb_status>,
    pub monotonic_ns: Option<unsafe extern "C" fn(*mut c_void) -> u64>,
    pub cancelled: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    pub service: Option<unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void>,
}

/// What `create` makes; the host sees a pointer and nothing behind it.
#[repr(C)]
pub struct cb_instance {
    _private: [u8; 0],
}

pub type Check = unsafe extern "C" fn(*const cb_config, *mut cb_error) -> cb_status;
pub type Create = unsafe extern "C" fn(
    *const cb_host,
    *const cb_config,
    *mut *mut cb_instance,
    *mut cb_error,
) -> cb_status;

#[repr(C)]
pub struct cb_descriptor {
    pub size: u32,
    pub flags: u32,
    pub id: *const c_char,
    pub interface_id: *const c_char,
    pub version: *const c_char,
    pub vendor: *const c_char,
    pub license: *const c_char,
    pub summary: *const c_char,
    pub status: *const c_char,
    pub posture: *const c_char,
    pub capabilities: u64,
    pub options: *const cb_option,
    pub option_size: u32,
    pub option_count: u32,
    pub ops: *const c_void,
    pub check: Option<Check>,
    pub create: Option<Create>,
    pub destroy: Option<unsafe extern "C" fn(*mut cb_instance)>,
    pub extension: Option<unsafe extern "C" fn(*mut cb_instance, *const c_char) -> *const c_void>,
}

#[repr(C)]
pub struct cb_entry {
    pub magic: u32,
    pub size: u32,
    pub abi_minor: u32,
    pub needs_minor: u32,
    pub init: Option<
        unsafe extern "C" fn(*const cb_host, *const c_char, *mut cb_error) -> cb_status,
    >,
    pub deinit: Option<unsafe extern "C" fn()>,
    pub descriptors: Option<unsafe extern "C" fn(*mut u32) -> *const *const cb_descriptor>,
}

pub type OneShot = unsafe extern "C" fn(
    *mut cb_instance,
    *const c_void,
    usize,
    *mut c_void,
    usize,
    *mut usize,
    *mut cb_error,
) -> cb_status;

/// The codec functions are for CB_COMPRESS_STREAM, which this plugin does not have: they stay null.
#[repr(C)]
pub struct cb_compress_ops {
    pub size: u32,
    pub reserved: u32,
    pub bound: Option<unsafe extern "C" fn(*mut cb_instance, usize, *mut usize) -> cb_status>,
    pub compress: Option<OneShot>,
    pub decompress: Option<OneShot>,
    pub codec_new: *const c_void,
    pub codec_run: *const c_void,
    pub codec_reset: *const c_void,
    pub codec_free: *const c_void,
}

// Constant data with pointers to constant data.
unsafe impl Sync for cb_option {}
unsafe impl Sync for cb_descriptor {}
unsafe impl Sync for cb_entry {}
unsafe impl Sync for cb_compress_ops {}
