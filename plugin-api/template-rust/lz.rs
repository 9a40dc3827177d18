// SPDX-License-Identifier: Apache-2.0
//! The format and its two directions, in safe Rust over slices; nothing here allocates.
//!
//! A frame is the four bytes "LZR1" and then tokens, each of which begins with one byte n:
//!   0..127      n + 1 bytes follow as they are
//!   128..255    n - 124 bytes (4..131) are copied; how far back, 1..65535, is in the next two bytes,
//!               the lower one first. 128 with distance 0 is the end of the frame.

const MAGIC: &[u8] = b"LZR1";
const END: &[u8] = &[COPY, 0, 0];
const COPY: u8 = 128;
const LITERAL_MAX: usize = 128;
const COPY_MIN: usize = 4;
const COPY_MAX: usize = 131;
pub const DISTANCE_MAX: usize = 65535;
const SLOTS: usize = 4096;

/// Why it did not work out.
#[derive(Debug, PartialEq)]
pub enum Trouble {
    NoRoom,
    Corrupt,
}

/// The most that `plain_len` bytes can become, or nothing when that is no size.
pub fn bound(plain_len: usize) -> Option<usize> {
    plain_len.checked_add(plain_len / LITERAL_MAX + 1 + MAGIC.len() + END.len())
}

/// The room that is written into.
struct Room<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl Room<'_> {
    fn put(&mut self, data: &[u8]) -> Result<(), Trouble> {
        let end = self.used + data.len();
        let room = self.bytes.get_mut(self.used..end).ok_or(Trouble::NoRoom)?;
        room.copy_from_slice(data);
        self.used = end;
        Ok(())
    }

    fn put_literals(&mut self, literals: &[u8]) -> Result<(), Trouble> {
        for block in literals.chunks(LITERAL_MAX) {
            self.put(&[(block.len() - 1) as u8])?;
            self.put(block)?;
        }
        Ok(())
    }

    fn put_copy(&mut self, length: usize, distance: usize) -> Result<(), Trouble> {
        let back = (distance as u16).to_le_bytes();
        self.put(&[COPY + (length - COPY_MIN) as u8, back[0], back[1]])
    }

    /// Byte by byte: source and target may overlap, which repeats a pattern.
    fn copy(&mut self, length: usize, distance: usize) -> Result<(), Trouble> {
        if length > self.bytes.len() - self.used {
            return Err(Trouble::NoRoom);
        }
        for _ in 0..length {
            self.bytes[self.used] = self.bytes[self.used - distance];
            self.used += 1;
        }
        Ok(())
    }
}

fn slot_of(bytes: &[u8]) -> usize {
    let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    (word.wrapping_mul(0x9E37_79B1) >> 20) as usize
}

fn common_length(plain: &[u8], from: usize, at: usize) -> usize {
    let most = COPY_MAX.min(plain.len() - at);
    (0..most).take_while(|i| plain[from + i] == plain[at + i]).count()
}

/// Compresses; how many bytes of `out` were written.
pub fn compress(plain: &[u8], out: &mut [u8], window: usize) -> Result<usize, Trouble> {
    let mut room = Room { bytes: out, used: 0 };
    // Where a word like this one was last seen, plus one.
    let mut seen = [0usize; SLOTS];
    let mut literals_from = 0;
    let mut at = 0;
    room.put(MAGIC)?;
    while at + COPY_MIN <= plain.len() {
        let slot = slot_of(&plain[at..]);
        let candidate = std::mem::replace(&mut seen[slot], at + 1);
        let near = candidate > 0 && at + 1 - candidate <= window;
        let length = if near { common_length(plain, candidate - 1, at) } else { 0 };
        if length < COPY_MIN {
            at += 1;
            continue;
        }
        room.put_literals(&plain[literals_from..at])?;
        room.put_copy(length, at + 1 - candidate)?;
        at += length;
        literals_from = at;
    }
    room.put_literals(&plain[literals_from..])?;
    room.put(END)?;
    Ok(room.used)
}

/// Takes the first `count` bytes off `input`.
fn take<'a>(input: &mut &'a [u8], count: usize) -> Result<&'a [u8], Trouble> {
    if count > input.len() {
        return Err(Trouble::Corrupt);
    }
    let (taken, rest) = input.split_at(count);
    *input = rest;
    Ok(taken)
}

fn decompress_frame(input: &mut &[u8], room: &mut Room) -> Result<(), Trouble> {
    let start = room.used;
    if take(input, MAGIC.len())? != MAGIC {
        return Err(Trouble::Corrupt);
    }
    loop {
        let n = take(input, 1)?[0];
        if n < COPY {
            room.put(take(input, usize::from(n) + 1)?)?;
            continue;
        }
        let back = take(input, 2)?;
        let distance = usize::from(u16::from_le_bytes([back[0], back[1]]));
        if n == COPY && distance == 0 {
            return Ok(());
        }
        if distance == 0 || distance > room.used - start {
            return Err(Trouble::Corrupt);
        }
        room.copy(usize::from(n - COPY) + COPY_MIN, distance)?;
    }
}

/// Decompresses all frames of `input`; how many bytes of `out` were written.
pub fn decompress(mut input: &[u8], out: &mut [u8]) -> Result<usize, Trouble> {
    let mut room = Room { bytes: out, used: 0 };
    loop {
        decompress_frame(&mut input, &mut room)?;
        if input.is_empty() {
            return Ok(room.used);
        }
    }
}
