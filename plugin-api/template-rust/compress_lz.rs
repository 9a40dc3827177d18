// SPDX-License-Identifier: Apache-2.0
//! compress-lz: a plugin of the interface cb.compress/1 in Rust, with the standard library alone. The
//! algorithm is in lz.rs, the C headers are in abi.rs; here is what joins them: options, an instance,
//! functions that let no panic out, and the one exported object. Replace it by yours.
//!
//! Memory: a plugin must survive when there is none left, so nothing here allocates but `create`,
//! which asks in the way that can be refused. An instance does not change; any thread may use it.

mod abi;
mod lz;
#[cfg(test)]
mod tests;

use abi::*;
use std::alloc::{alloc, dealloc, Layout};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::{mem, ptr, slice};

/// Text of the ABI ends with a zero byte.
macro_rules! c_text {
    ($text:expr) => {
        concat!($text, "\0").as_ptr() as *const c_char
    };
}

struct Failure {
    status: cb_status,
    message: &'static str,
}

fn fail<T>(status: cb_status, message: &'static str) -> Result<T, Failure> {
    Err(Failure { status, message })
}

impl From<lz::Trouble> for Failure {
    fn from(trouble: lz::Trouble) -> Failure {
        match trouble {
            lz::Trouble::NoRoom => Failure { status: CB_E_LIMIT, message: "more than fits" },
            lz::Trouble::Corrupt => Failure { status: CB_E_CORRUPT, message: "not a whole frame" },
        }
    }
}

/// Fills the caller's record, if there is one and it is as long as ours.
unsafe fn set_error(error: *mut cb_error, failure: &Failure) {
    if error.is_null() || (ptr::addr_of!((*error).size).read() as usize) < mem::size_of::<cb_error>()
    {
        return;
    }
    let error = &mut *error;
    let text = failure.message.as_bytes();
    let length = text.len().min(error.message.len() - 1);
    error.status = failure.status;
    error.os_errno = 0;
    error.flags =
        if failure.status == CB_E_NO_MEMORY { CB_ERROR_RETRY } else { CB_ERROR_PERMANENT };
    error.message[..length].copy_from_slice(&text[..length]);
    error.message[length] = 0;
}

/// Every function that the host calls does its work in here: a panic ends here and becomes a status.
unsafe fn guard(error: *mut cb_error, body: impl FnOnce() -> Result<(), Failure>) -> cb_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return CB_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            mem::forget(panic); // what it carries may panic again when dropped
            Failure { status: CB_E_INTERNAL, message: "compress-lz: a panic, please report it" }
        }
    };
    set_error(error, &failure);
    failure.status
}

unsafe fn bytes<'a>(data: *const c_void, len: usize) -> &'a [u8] {
    if len == 0 { &[] } else { slice::from_raw_parts(data as *const u8, len) }
}

unsafe fn room<'a>(data: *mut c_void, len: usize) -> &'a mut [u8] {
    if len == 0 { &mut [] } else { slice::from_raw_parts_mut(data as *mut u8, len) }
}

// --- instance ------------------------------------------------------------------------------------

const OPTION_WINDOW: usize = 0;

static OPTIONS: [cb_option; 1] = [cb_option {
    key: c_text!("window"),
    help: c_text!("How far back equal bytes are looked for."),
    def: c_text!("32KiB"),
    choices: ptr::null(),
    min: 1024,
    max: lz::DISTANCE_MAX as i64,
    type_: CB_OPTION_SIZE,
    flags: 0,
}];

struct Instance {
    window: usize,
}

/// The value of one option. A newer host may have longer values, so the stride is the host's.
unsafe fn value_of<'a>(config: *const cb_config, option: usize) -> &'a cb_value {
    let first = (*config).values as *const u8;
    &*(first.add(option * (*config).value_size as usize) as *const cb_value)
}

unsafe extern "C" fn create(
    _host: *const cb_host,
    config: *const cb_config,
    out: *mut *mut cb_instance,
    error: *mut cb_error,
) -> cb_status {
    *out = ptr::null_mut();
    guard(error, || {
        let made = alloc(Layout::new::<Instance>()) as *mut Instance;
        if made.is_null() {
            return fail(CB_E_NO_MEMORY, "compress-lz: out of memory");
        }
        made.write(Instance { window: value_of(config, OPTION_WINDOW).number as usize });
        *out = made as *mut cb_instance;
        Ok(())
    })
}

unsafe extern "C" fn destroy(instance: *mut cb_instance) {
    if !instance.is_null() {
        dealloc(instance as *mut u8, Layout::new::<Instance>());
    }
}

// --- the table of cb.compress/1 ------------------------------------------------------------------

unsafe extern "C" fn bound(_: *mut cb_instance, plain_len: usize, out: *mut usize) -> cb_status {
    *out = 0;
    guard(ptr::null_mut(), || match lz::bound(plain_len) {
        Some(most) => {
            *out = most;
            Ok(())
        }
        None => fail(CB_E_LIMIT, "too large for one shot"),
    })
}

unsafe extern "C" fn compress(
    instance: *mut cb_instance,
    input: *const c_void,
    len: usize,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    error: *mut cb_error,
) -> cb_status {
    *out_len = 0;
    guard(error, || {
        let window = (*(instance as *const Instance)).window;
        match lz::compress(bytes(input, len), room(out, cap), window) {
            Ok(written) => *out_len = written,
            Err(_) => {
                *out_len = lz::bound(len).unwrap_or(0);
                return fail(CB_E_TOO_SMALL, "the room is smaller than bound() says");
            }
        }
        Ok(())
    })
}

unsafe extern "C" fn decompress(
    _instance: *mut cb_instance,
    input: *const c_void,
    len: usize,
    out: *mut c_void,
    cap: usize,
    out_len: *mut usize,
    error: *mut cb_error,
) -> cb_status {
    *out_len = 0;
    guard(error, || {
        *out_len = lz::decompress(bytes(input, len), room(out, cap))?;
        Ok(())
    })
}

static OPS: cb_compress_ops = cb_compress_ops {
    size: mem::size_of::<cb_compress_ops>() as u32,
    reserved: 0,
    bound: Some(bound),
    compress: Some(compress),
    decompress: Some(decompress),
    codec_new: ptr::null(),
    codec_run: ptr::null(),
    codec_reset: ptr::null(),
    codec_free: ptr::null(),
};

// --- descriptor and entry ------------------------------------------------------------------------

static DESCRIPTOR: cb_descriptor = cb_descriptor {
    size: mem::size_of::<cb_descriptor>() as u32,
    flags: 0,
    id: c_text!("compress-lz"),
    interface_id: c_text!("cb.compress/1"),
    version: c_text!("0.1.0"),
    vendor: c_text!("Example"),
    license: c_text!("Apache-2.0"),
    summary: c_text!("Copies of earlier bytes, in one shot."),
    status: c_text!("wip"),
    posture: c_text!("untrusted-peer"),
    capabilities: 0,
    options: OPTIONS.as_ptr(),
    option_size: mem::size_of::<cb_option>() as u32,
    option_count: OPTIONS.len() as u32,
    ops: &OPS as *const cb_compress_ops as *const c_void,
    check: None,
    create: Some(create),
    destroy: Some(destroy),
    extension: None,
};

struct List([*const cb_descriptor; 1]);
unsafe impl Sync for List {}
static DESCRIPTORS: List = List([&DESCRIPTOR]);

unsafe extern "C" fn descriptors(count: *mut u32) -> *const *const cb_descriptor {
    *count = DESCRIPTORS.0.len() as u32;
    DESCRIPTORS.0.as_ptr()
}

/// A plugin does not print: panics are told through `cb_error`. This silences the copy of the
/// standard library inside this module and no other.
unsafe extern "C" fn init(
    _host: *const cb_host,
    _module_dir: *const c_char,
    error: *mut cb_error,
) -> cb_status {
    guard(error, || {
        std::panic::set_hook(Box::new(|_| {}));
        Ok(())
    })
}

#[no_mangle]
pub static cb_plugin_entry_v1: cb_entry = cb_entry {
    magic: CB_ENTRY_MAGIC,
    size: mem::size_of::<cb_entry>() as u32,
    abi_minor: CB_ABI_MINOR,
    needs_minor: 0,
    init: Some(init),
    deinit: None,
    descriptors: Some(descriptors),
};
