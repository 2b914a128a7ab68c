//! Batches by number.

use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::{BatchRoot, BatchSequence, InstitutionId, PermissionId},
    proof::{AccreditationPage, BatchPage, BatchRange, ProofError},
};

use crate::world::{ACCREDITATION, BATCHES, GTU, World, name_of, refuses_every_change, seed};

fn range(first: u32, last: u32) -> BatchRange {
    BatchRange::new(BatchSequence::new(first), BatchSequence::new(last)).unwrap()
}

#[test]
fn batches_come_by_number_without_a_gap() {
    let world = World::new();
    let (state, proof) = (world.confirmed(), world.institution());
    let gtu = proof.verify(&state, InstitutionId::new(GTU)).unwrap();
    let all = world.page(1..=BATCHES);
    let proved = all.verify(&gtu, range(1, 256)).unwrap();
    assert_eq!((proved.total, proved.batches), (BATCHES, all.items()));
    assert!(world.page(4..=9).verify(&gtu, range(4, 9)).is_ok());
    assert!(world.page([]).verify(&gtu, range(BATCHES + 1, BATCHES + 9)).is_ok());

    let count = |expected, found| Err(ProofError::BatchCount { expected, found });
    assert_eq!(world.page(4..=8).verify(&gtu, range(4, 9)), count(6, 5));
    assert_eq!(world.page(4..=10).verify(&gtu, range(4, 9)), count(6, 7));
    assert_eq!(world.page([]).verify(&gtu, range(1, 256)), count(BATCHES, 0));
    let number = |expected| Err(ProofError::BatchNumber { expected });
    assert_eq!(world.page([4, 5, 5, 7]).verify(&gtu, range(4, 7)), number(6));
    assert_eq!(world.page([4, 6, 5, 7]).verify(&gtu, range(4, 7)), number(5));
    // A record under another root, and a number that the ledger never gave.
    let mut items = world.items(4..=5);
    items[1].root = BatchRoot::new(seed("batch", 6));
    assert!(BatchPage::new(items.clone()).unwrap().verify(&gtu, range(4, 5)).is_err());
    let mut items = world.items([4, 4]);
    items[1].record.sequence = BatchSequence::new(5);
    assert!(BatchPage::new(items).unwrap().verify(&gtu, range(4, 5)).is_err());

    refuses_every_change(&world.page(7..=9).to_bytes(), |bytes| {
        BatchPage::from_bytes(bytes).is_ok_and(|page| page.verify(&gtu, range(7, 9)).is_ok())
    });
}

#[test]
fn a_neighbours_batches_are_not_the_institutions() {
    let world = World::new();
    let (state, proof) = (world.confirmed(), world.institution());
    let gtu = proof.verify(&state, InstitutionId::new(GTU)).unwrap();
    let mut items = world.items(1..=1);
    items[0].path = world.batches.path(&name_of(2, items[0].root.as_bytes()));
    assert!(matches!(BatchPage::new(items).unwrap().verify(&gtu, range(1, 1)), Err(ProofError::OtherRoot { .. })));
}

#[test]
fn batches_under_an_accreditation_come_by_its_own_numbers() {
    let world = World::new();
    let (state, proof) = (world.confirmed(), world.institution());
    let gtu = proof.verify(&state, InstitutionId::new(GTU)).unwrap();
    let accreditation = PermissionId::new(ACCREDITATION);
    let page = |sequences: &[u32]| AccreditationPage {
        tally: world.tally(ACCREDITATION),
        page: world.page(sequences.iter().copied()),
    };
    let odd: Vec<_> = (1..=BATCHES).step_by(2).collect();
    assert_eq!(page(&odd).verify(&gtu, accreditation, range(1, 256)).unwrap().total, BATCHES.div_ceil(2));
    assert!(page(&[3, 5, 7]).verify(&gtu, accreditation, range(2, 4)).is_ok());
    let number = |expected| Err(ProofError::BatchNumber { expected });
    assert_eq!(page(&[3, 6, 7]).verify(&gtu, accreditation, range(2, 4)), number(3));
    assert_eq!(page(&[3, 5, 8]).verify(&gtu, accreditation, range(2, 4)), number(4));
    let short = page(&odd[1..]);
    let short = short.verify(&gtu, accreditation, range(1, 256));
    assert_eq!(short, Err(ProofError::BatchCount { expected: 11, found: 10 }));
    // The tally of another accreditation, which would hide the last batch.
    let hidden = AccreditationPage { tally: world.tally(4), page: world.page(odd[..10].iter().copied()) };
    assert!(matches!(hidden.verify(&gtu, accreditation, range(1, 256)), Err(ProofError::OtherRoot { .. })));
    // No batch was ever anchored under this one.
    let none = AccreditationPage { tally: world.tally(9), page: world.page([]) };
    assert_eq!(none.verify(&gtu, PermissionId::new(9), range(1, 256)).unwrap().total, 0);
    assert!(none.verify(&gtu, accreditation, range(1, 256)).is_err());

    refuses_every_change(&page(&[3, 5]).to_bytes(), |bytes| {
        AccreditationPage::from_bytes(bytes).is_ok_and(|page| page.verify(&gtu, accreditation, range(2, 3)).is_ok())
    });
}

#[test]
fn ranges_are_bounded() {
    let new = |first, last| BatchRange::new(BatchSequence::new(first), BatchSequence::new(last));
    assert_eq!(new(0, 3), None);
    assert_eq!(new(4, 3), None);
    assert_eq!(new(1, 257), None);
    assert_eq!(new(u32::MAX - 255, u32::MAX).unwrap().within(u32::MAX).count(), 256);
    assert_eq!(range(3, 5).within(2).count(), 0);
    assert_eq!(range(3, 5).within(4).map(BatchSequence::get).collect::<Vec<_>>(), [3, 4]);
    let world = World::new();
    let item = world.items([1]).remove(0);
    assert!(BatchPage::new(vec![item.clone(); 257]).is_none());
    let mut bytes = BatchPage::new(vec![item.clone(); 256]).unwrap().to_bytes();
    assert!(BatchPage::from_bytes(&bytes).is_ok());
    bytes[..2].copy_from_slice(&257_u16.to_le_bytes());
    item.encode(&mut bytes);
    assert!(BatchPage::from_bytes(&bytes).is_err());
}
