//! The pages of a damaged file and of the log beside it. Nothing is believed about them but their length.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use super::super::file::beside;
use super::{btree, wal};

/// The sizes that a page can have, first that which recordings are made with.
const SIZES: [usize; 8] = [4096, 1024, 2048, 8192, 16384, 32768, 65536, 512];

/// Pages looked at to find out their size.
const PROBED: u32 = 400;

/// Pages kept for the next question.
const KEPT: usize = 512;

/// Numbers from here on stand for pages of the log whose right number and checksum are not certain.
const FIRST_DOUBTFUL: u32 = 0xF000_0000;

type Kept = Option<(u32, Option<Rc<[u8]>>)>;

/// Numbered pages, from 1.
pub(super) struct Pages {
    file: File,
    length: u64,
    size: usize,
    log_file: Option<File>,
    log: wal::Log,
    kept: RefCell<Vec<Kept>>,
    unreadable: RefCell<HashSet<u32>>,
}

impl Pages {
    /// Opens the file read-only, and the log beside it where there is one.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let log_file = File::open(beside(path, "-wal")).ok();
        let mut pages = Self {
            file,
            length,
            size: SIZES[0],
            log_file,
            log: wal::Log::default(),
            kept: RefCell::new(vec![None; KEPT]),
            unreadable: RefCell::default(),
        };
        pages.size = pages.find_size();
        pages.kept = RefCell::new(vec![None; KEPT]);
        if let Some(log_file) = &pages.log_file {
            pages.log = wal::read(log_file, pages.size);
        }
        Ok(pages)
    }

    /// Bytes of a page.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether a part of the log beside the file is damaged.
    pub fn log_is_damaged(&self) -> bool {
        self.log.damaged
    }

    /// Pages that the disk would not give.
    pub fn unreadable(&self) -> usize {
        self.unreadable.borrow().len()
    }

    /// Pages of the file itself, a cut one at the end included.
    fn in_file(&self) -> u32 {
        let count = self.length.div_ceil(self.size as u64);
        u32::try_from(count).unwrap_or(u32::MAX).min(FIRST_DOUBTFUL - 1)
    }

    /// Whether there is a page of that number.
    pub fn has(&self, number: u32) -> bool {
        (1..=self.in_file()).contains(&number) || self.log.committed.contains_key(&number)
    }

    /// All numbers, first those that are certain.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        let last = self.in_file();
        let beyond = self
            .log
            .committed
            .keys()
            .copied()
            .filter(move |&number| number > last);
        let doubtful = u32::try_from(self.log.doubtful.len()).unwrap_or(0);
        (1..=last)
            .chain(beyond)
            .chain((0..doubtful).map(|index| FIRST_DOUBTFUL + index))
    }

    /// Whether the page is one whose place and content nothing but a batch's hash can confirm.
    pub fn is_doubtful(number: u32) -> bool {
        number >= FIRST_DOUBTFUL
    }

    /// The bytes of a page; fewer than its size where the file was cut in it, none where there is no such page.
    pub fn page(&self, number: u32) -> Option<Rc<[u8]>> {
        let slot = number as usize % KEPT;
        if let Some((kept, page)) = &self.kept.borrow()[slot]
            && *kept == number
        {
            return page.clone();
        }
        let page = self.read(number);
        self.kept.borrow_mut()[slot] = Some((number, page.clone()));
        page
    }

    fn read(&self, number: u32) -> Option<Rc<[u8]>> {
        let (file, at, length) = if number >= FIRST_DOUBTFUL {
            let place = self.log.doubtful.get((number - FIRST_DOUBTFUL) as usize)?;
            (self.log_file.as_ref()?, *place, self.size)
        } else if let Some(place) = self.log.committed.get(&number) {
            (self.log_file.as_ref()?, *place, self.size)
        } else {
            let at = u64::from(number.checked_sub(1)?) * self.size as u64;
            let left = self.length.checked_sub(at).filter(|left| *left > 0)?;
            (
                &self.file,
                at,
                self.size.min(usize::try_from(left).unwrap_or(self.size)),
            )
        };
        let mut bytes = vec![0; length];
        match file.read_exact_at(&mut bytes, at) {
            Ok(()) => Some(bytes.into()),
            Err(_) => {
                self.unreadable.borrow_mut().insert(number);
                None
            }
        }
    }

    /// The size under which the most pages look like pages: the header that names it may be what is damaged.
    fn find_size(&mut self) -> usize {
        let named = self.named_size();
        let in_log = self.log_file.as_ref().and_then(wal::page_size);
        let mut best = (0, SIZES[0]);
        for size in named.into_iter().chain(in_log).chain(SIZES) {
            self.size = size;
            self.kept = RefCell::new(vec![None; KEPT]);
            let last = self.in_file().min(PROBED);
            let fitting = (1..=last)
                .filter(|&number| {
                    self.page(number)
                        .is_some_and(|page| btree::looks_like_a_tree(&page, number, size))
                })
                .count();
            // In bytes, so that small pages are not preferred; on a tie the first, which is the one named.
            if fitting * size > best.0 {
                best = (fitting * size, size);
            }
            if fitting * 2 > last as usize {
                break;
            }
        }
        best.1
    }

    fn named_size(&self) -> Option<usize> {
        let mut bytes = [0; 2];
        self.file.read_exact_at(&mut bytes, 16).ok()?;
        let size = match u16::from_be_bytes(bytes) {
            1 => 65536,
            size => usize::from(size),
        };
        (size.is_power_of_two() && size >= 512).then_some(size)
    }
}
