//! Entries and institutions, present or absent.

use sigeli_verifier::{
    decode::Decode as _,
    encode::Encode as _,
    ids::InstitutionId,
    proof::{EntryProof, InstitutionAnswer, ProofError, verify_entry},
    register::AbsenceTerminal,
};

use crate::world::{ACCREDITATION, GTU, World, facts, refuses_every_change};

#[test]
fn an_institution_is_proved_or_its_absence() {
    let world = World::new();
    let state = world.confirmed();
    let present = InstitutionAnswer::Present(world.institution());
    let gtu = present.verify(&state, InstitutionId::new(GTU)).unwrap().unwrap();
    assert_eq!(
        (gtu.institution(), gtu.facts(), gtu.registers()),
        (InstitutionId::new(GTU), &facts(), &world.registers)
    );
    assert_eq!(*gtu.state(), state);
    assert!(present.verify(&state, InstitutionId::new(2)).is_err());
    refuses_every_change(&present.to_bytes(), |bytes| {
        InstitutionAnswer::from_bytes(bytes).is_ok_and(|answer| answer.verify(&state, InstitutionId::new(GTU)).is_ok())
    });

    let (mut empty, mut other) = (0, 0);
    for number in 100..160_u32 {
        let EntryProof::Absent(absence) = world.institutions.prove(&number.to_le_bytes()) else { unreachable!() };
        let seen = if absence.terminal == AbsenceTerminal::Empty { &mut empty } else { &mut other };
        *seen += 1;
        let answer = InstitutionAnswer::Absent(absence);
        assert_eq!(answer.verify(&state, InstitutionId::new(number)), Ok(None));
        assert!(answer.verify(&state, InstitutionId::new(GTU)).is_err());
        if *seen == 1 {
            refuses_every_change(&answer.to_bytes(), |bytes| {
                InstitutionAnswer::from_bytes(bytes)
                    .is_ok_and(|answer| answer.verify(&state, InstitutionId::new(number)).is_ok())
            });
        }
    }
    assert!(empty > 0 && other > 0, "both ways of absence occur");
}

#[test]
fn an_entry_is_proved_or_its_absence() {
    let world = World::new();
    let root = world.registers.permissions;
    let key = |name: &[u8]| sigeli_verifier::register::key(name);
    let name = [&[5], &ACCREDITATION.to_le_bytes()[..]].concat();
    let proof = world.permissions.prove(&name);
    assert_eq!(proof.verify(&root, &key(&name)), Ok(Some(&11_u32.to_le_bytes()[..])));
    assert_eq!(proof.verify_record::<u32>(&root, &key(&name)), Ok(Some(11)));
    assert_eq!(proof.verify_record::<u64>(&root, &key(&name)), Err(ProofError::Value));
    assert!(proof.verify(&root, &key(b"another")).is_err());
    assert!(proof.verify(&world.registers.statuses, &key(&name)).is_err());
    assert!(verify_entry(&root, &key(&name), &12_u32.to_le_bytes(), &world.permissions.path(&name)).is_err());
    refuses_every_change(&proof.to_bytes(), |bytes| {
        EntryProof::from_bytes(bytes).is_ok_and(|proof| proof.verify(&root, &key(&name)).is_ok())
    });
    let absent = world.permissions.prove(b"nothing");
    assert_eq!(absent.verify(&root, &key(b"nothing")), Ok(None));
    assert!(absent.verify(&root, &key(&name)).is_err());
}
