# Prints the fingerprint of the digits' test part that known_test.go expects, from the definitions in the doc comments of
# data.Split and data.Fingerprint alone. Made with CPython 3.11.7, standard library only. Run in the folder data:
#
#	python3 testdata/digits_split.py
import gzip
import struct
from hashlib import sha256

rows = [list(map(int, line.split(","))) for line in gzip.open("builtin/digits.csv.gz", "rt")]
digest = [sha256(struct.pack("<64f", *row[:64])).digest() for row in rows]
seed = struct.pack("<Q", 1)

part = []
for k in range(10):
    members = [i for i, row in enumerate(rows) if row[64] == k]
    members.sort(key=lambda i: sha256(seed + digest[i]).digest())
    part += members[: round(0.2 * len(members))]

sums = sorted(sha256(digest[i] + str(rows[i][64]).encode()).digest() for i in part)
print(sha256(b"8x8x1 %d\n" % len(sums) + b"".join(sums)).hexdigest())
