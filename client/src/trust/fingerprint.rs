//! 32 bytes as groups of digits that two people can compare over a telephone (`docs/protocol.md` §11).
//!
//! Decimal digits, since they sound different from each other in every language that the two may speak; a hexadecimal B, D
//! and E do not. Each group ends in a check digit, which also covers the group's place, so that a slip of the tongue or the
//! ear is noticed at once and in its group.

use std::fmt;

/// How many groups there are.
pub const GROUPS: usize = 16;
/// How many digits a group has, the check digit included.
const GROUP_DIGITS: usize = 6;

/// The quasigroup of order 10 of H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004, p. 111.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// 32 bytes that are read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// Why what somebody wrote down is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Neither a digit nor a separator.
    #[error("a fingerprint has digits, spaces and hyphens only, not {character:?}")]
    Character {
        /// What it is.
        character: char,
    },
    /// Too few or too many digits.
    #[error("a fingerprint has 16 groups of 6 digits, {} in all, not {count}", GROUPS * GROUP_DIGITS)]
    Count {
        /// How many were given.
        count: usize,
    },
    /// A group's check digit is wrong.
    #[error("group {number} was misread or misheard: ask for it again")]
    Group {
        /// Which, from 1.
        number: usize,
    },
}

/// The check digit of a group's number and its five digits; 0 for these six followed by their check digit.
fn check_digit(digits: impl IntoIterator<Item = u8>) -> u8 {
    digits.into_iter().fold(0, |interim, digit| DAMM[usize::from(interim)][usize::from(digit)])
}

/// The decimal digits of a number, `COUNT` of them, with leading zeros.
fn digits<const COUNT: usize>(number: usize) -> [u8; COUNT] {
    let mut rest = number;
    let mut digits = [0; COUNT];
    for digit in digits.iter_mut().rev() {
        *digit = u8::try_from(rest % 10).expect("a digit is below 10");
        rest /= 10;
    }
    digits
}

/// The two digits of a group's place, which are not written.
fn place(position: usize) -> [u8; 2] {
    digits(position + 1)
}

impl Fingerprint {
    /// Of 32 bytes.
    #[must_use]
    pub const fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The groups, in the order in which they are read out.
    #[must_use]
    pub fn groups(&self) -> [String; GROUPS] {
        let numbers = self.0.chunks_exact(2).map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]])));
        let mut groups = [const { String::new() }; GROUPS];
        for (position, (number, group)) in numbers.zip(&mut groups).enumerate() {
            let written = digits::<5>(number);
            let check = check_digit(place(position).into_iter().chain(written));
            *group = written.into_iter().chain([check]).map(|digit| char::from(b'0' + digit)).collect();
        }
        groups
    }

    /// Reads groups as somebody wrote them down: digits with any spaces, hyphens and line breaks between them.
    ///
    /// # Errors
    /// [`FingerprintError`].
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let mut digits = Vec::with_capacity(GROUPS * GROUP_DIGITS);
        for character in text.chars().filter(|character| !character.is_whitespace() && *character != '-') {
            let digit = character.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
            digits.push(digit.ok_or(FingerprintError::Character { character })?);
        }
        if digits.len() != GROUPS * GROUP_DIGITS {
            return Err(FingerprintError::Count { count: digits.len() });
        }
        let mut bytes = [0; 32];
        let groups = digits.chunks_exact(GROUP_DIGITS);
        for (position, (group, pair)) in groups.zip(bytes.chunks_exact_mut(2)).enumerate() {
            let misheard = FingerprintError::Group { number: position + 1 };
            if check_digit(place(position).into_iter().chain(group.iter().copied())) != 0 {
                return Err(misheard);
            }
            let number = group[..5].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
            pair.copy_from_slice(&u16::try_from(number).map_err(|_| misheard)?.to_be_bytes());
        }
        Ok(Self(bytes))
    }
}

/// Four lines of four groups.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups();
        let lines: Vec<String> = groups.chunks(4).map(|line| line.join(" ")).collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_example_of_the_method_and_a_worked_fingerprint() {
        assert_eq!(check_digit([5, 7, 2]), 4);
        assert_eq!(check_digit([5, 7, 2, 4]), 0);
        let bytes = std::array::from_fn(|position| u8::try_from(position * 8).unwrap());
        let fingerprint = Fingerprint::of(bytes);
        // By hand: group 1 is 0x0008 = 00008 at place 01. From 0 by the place to 0, 3; by 0000 to 1, 7, 8, 9; by 8 to 9.
        assert_eq!(fingerprint.groups()[0], "000089");
        assert!(fingerprint.groups()[1].starts_with("04120"), "0x1018 is 4120");
        assert_eq!(fingerprint.to_string().lines().count(), 4);
    }

    #[test]
    fn what_is_not_a_fingerprint_is_refused_with_its_reason() {
        let good = Fingerprint::of([0xAB; 32]).to_string();
        assert_eq!(Fingerprint::parse(&good.replace(' ', " - ")).unwrap().bytes(), &[0xAB; 32]);
        assert_eq!(Fingerprint::parse(&good[1..]), Err(FingerprintError::Count { count: 95 }));
        assert_eq!(Fingerprint::parse(&format!("{good}0")), Err(FingerprintError::Count { count: 97 }));
        let letter = good.replacen('4', "d", 1);
        assert_eq!(Fingerprint::parse(&letter), Err(FingerprintError::Character { character: 'd' }));
        // 65,536 to 99,999 are no numbers of two bytes, whatever their check digit.
        for check in 0..10 {
            let too_large = format!("99999{check}{}", &good.replace(char::is_whitespace, "")[6..]);
            assert_eq!(Fingerprint::parse(&too_large), Err(FingerprintError::Group { number: 1 }));
        }
    }

    proptest! {
        #[test]
        fn one_slip_is_noticed_in_its_group(bytes: [u8; 32], group in 0_usize..16, at in 0_usize..6, other in 0_u8..10) {
            let fingerprint = Fingerprint::of(bytes);
            let groups = fingerprint.groups();
            prop_assert_eq!(Fingerprint::parse(&groups.join("\n")), Ok(fingerprint));
            let error = Err(FingerprintError::Group { number: group + 1 });
            let with = |changed: String| {
                let mut read = groups.clone();
                read[group] = changed;
                Fingerprint::parse(&read.concat())
            };
            // One digit wrong.
            let mut wrong = groups[group].clone().into_bytes();
            wrong[at] = b'0' + other;
            let wrong = String::from_utf8(wrong).unwrap();
            if wrong != groups[group] {
                prop_assert_eq!(with(wrong), error);
            }
            // Two neighbours exchanged.
            let mut swapped = groups[group].clone().into_bytes();
            swapped.swap(at.min(4), at.min(4) + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            if swapped != groups[group] {
                prop_assert_eq!(with(swapped), error);
            }
            // The group beside it in its place.
            let beside = groups[if group == 15 { 14 } else { group + 1 }].clone();
            prop_assert_eq!(with(beside), error);
        }
    }
}
