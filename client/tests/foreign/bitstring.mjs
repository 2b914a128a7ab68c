// Reads status lists with an implementation that is not ours, and compares every place with what the test's ledger says
// (client/tests/refresh.rs): of 40 credentials at 131,071 - 3,001 n, those with n % 8 = 0 are revoked and n % 8 = 4 suspended.
//
// node bitstring.mjs FOLDER
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { decodeList } from "@digitalbazaar/vc-bitstring-status-list";

const folder = process.argv[2];
let failures = 0;
let lists = 0;
for (const name of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const { credentialSubject } = JSON.parse(readFileSync(join(folder, name), "utf8"));
  const { encodedList, statusPurpose } = credentialSubject;
  const rest = { revocation: 0, suspension: 4 }[statusPurpose];
  const expected = new Set();
  for (let number = 0; number < 40; number += 1) {
    if (number % 8 === rest) expected.add(131_071 - 3_001 * number);
  }
  const list = await decodeList({ encodedList });
  if (list.length !== 131_072) failures += 1;
  for (let index = 0; index < list.length; index += 1) {
    if (list.getStatus(index) !== expected.has(index)) failures += 1;
  }
  lists += 1;
  console.log(`${name}: ${list.length} places, ${expected.size} set, ${failures} differ`);
}
process.exit(failures === 0 && lists === 2 ? 0 : 1);
