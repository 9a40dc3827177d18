// SPDX-License-Identifier: Apache-2.0
//! The author's own tests. What every compressor must do is cyberbackup-plugin-check's work; here is
//! what only this one does, and whether abi.rs is the headers.

use super::*;

/// Repeatable noise.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88172645463325252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut out = vec![0; lz::bound(plain.len()).unwrap()];
    let length = lz::compress(plain, &mut out, 32768).unwrap();
    out.truncate(length);
    out
}

#[test]
fn the_format_is_as_described() {
    assert_eq!(packed(b""), b"LZR1\x80\0\0");
    assert_eq!(packed(b"abc"), b"LZR1\x02abc\x80\0\0");
    assert_eq!(packed(b"abcdabcdabcd"), b"LZR1\x03abcd\x84\x04\0\x80\0\0");
}

#[test]
fn what_was_packed_comes_back() {
    let mut text = Vec::new();
    for i in 0..5000 {
        text.extend_from_slice(format!("line {} of {}\n", i, i * i).as_bytes());
    }
    for plain in [noise(100_000), text, vec![7; 100_000], noise(1)] {
        let mut back = vec![0; plain.len()];
        assert_eq!(lz::decompress(&packed(&plain), &mut back), Ok(plain.len()));
        assert!(back == plain);
    }
    assert!(packed(&vec![7; 100_000]).len() < 5000);
}

#[test]
fn copies_from_before_the_frame_are_corrupt() {
    let mut out = [0; 100];
    let mut two = packed(b"abcd");
    two.extend_from_slice(b"LZR1\x80\x04\0\x80\0\0");
    assert_eq!(lz::decompress(&two, &mut out), Err(lz::Trouble::Corrupt));
}

#[test]
fn a_panic_becomes_a_status() {
    let mut error: cb_error = unsafe { mem::zeroed() };
    error.size = mem::size_of::<cb_error>() as u32;
    let status = unsafe { guard(&mut error, || panic!("on purpose")) };
    assert_eq!(status, CB_E_INTERNAL);
    assert_eq!(error.status, CB_E_INTERNAL);
    assert!(error.message.starts_with(b"compress-lz: a panic"));
}

/// Lines as layout.c prints them.
fn layout() -> String {
    fn size_behind<T>(_: *const T) -> usize {
        mem::size_of::<T>()
    }
    let mut text = String::new();
    macro_rules! constants {
        ($($name:ident)*) => { $( text += &format!("{} {}\n", stringify!($name), $name as i64); )* };
    }
    macro_rules! members {
        ($type:ident: $($member:ident)*) => {
            let space = mem::MaybeUninit::<$type>::uninit();
            let base = space.as_ptr();
            $(
                let member = unsafe { ptr::addr_of!((*base).$member) };
                let offset = member as usize - base as usize;
                let name = stringify!($member).trim_end_matches('_');
                let size = size_behind(member);
                text += &format!("{}.{} @{} +{}\n", stringify!($type), name, offset, size);
            )*
            text += &format!("{} {}\n", stringify!($type), mem::size_of::<$type>());
        };
    }
    constants!(CB_OK CB_E_CORRUPT CB_E_NO_MEMORY CB_E_LIMIT CB_E_TOO_SMALL CB_E_INTERNAL
               CB_ERROR_RETRY CB_ERROR_PERMANENT CB_OPTION_SIZE CB_ABI_MINOR CB_ENTRY_MAGIC);
    members!(cb_error: size status os_errno flags message);
    members!(cb_option: key help def choices min max type_ flags);
    members!(cb_value: type_ is_set number text length);
    members!(cb_config: size value_size count reserved values);
    members!(cb_host: size abi_minor ctx name version log random monotonic_ns cancelled service);
    members!(cb_descriptor: size flags id interface_id version vendor license summary status posture
             capabilities options option_size option_count ops check create destroy extension);
    members!(cb_entry: magic size abi_minor needs_minor init deinit descriptors);
    members!(cb_compress_ops: size reserved bound compress decompress codec_new codec_run
             codec_reset codec_free);
    text
}

#[test]
fn layout_is_that_of_the_headers() {
    let file = std::env::var("CB_LAYOUT").expect("CB_LAYOUT names what layout.c printed");
    assert_eq!(layout(), std::fs::read_to_string(file).unwrap());
}
