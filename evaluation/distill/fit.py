"""Fits a direction for every hashed feature, so that the weighted sum of a text's features points where the teacher
puts the text.

python fit.py FOLDER TERMS DIMENSIONS

Reads from FOLDER, n being the number of texts: teacher.f16 (n x 384), weights.f32 (n), words.u8 (n; 1 for a bare
word) and the features of each text, as the product extracts them: offsets.u32 (n + 1), hashes.u32, counts.u32.
Writes terms.hashes.u32, terms.weights.f32 and terms.rows.f32 (terms x dimensions), and facts.json.

Method: the teacher's vectors are centred, projected onto their first principal components, each divided by the fourth
root of its variance, and brought to unit length. Ridge regression from rows of tf-idf (1 + ln tf, a power of idf, a
factor per kind of feature, unit length) onto them, solved by conjugate gradients.
"""

import json
import os
import sys

import numpy as np
import scipy.sparse as sparse

TEACHER = 384
RIDGE = 1.0
STEPS = 25
# Powers of idf: of the rows that directions are fitted to, and of the weights that they are used with. A higher one at
# use keeps words of grammar from deciding about short prompts.
FITTING_POWER = 1.5
USING_POWER = 2.0
# Word pairs repeat their words and a word has many n-grams: the kinds of src/deciding/text/features.ts.
KIND_FACTORS = np.array([1, 0.7, 0.5, 1, 1, 1, 1, 1], np.float32)
WORD = 0


def unit(rows):
    return rows / np.maximum(1e-9, np.linalg.norm(rows, axis=1, keepdims=True))


def main(folder, terms, dimensions):
    read = lambda name, kind: np.fromfile(os.path.join(folder, name), kind)  # noqa: E731
    target = read("teacher.f16", np.float16).reshape(-1, TEACHER).astype(np.float32)
    importance = read("weights.f32", np.float32)
    words = read("words.u8", np.uint8) > 0
    offsets = read("offsets.u32", np.uint32).astype(np.int64)
    hashes, counts = read("hashes.u32", np.uint32), read("counts.u32", np.uint32)
    texts = len(importance)
    assert len(target) == texts == len(offsets) - 1

    row = np.repeat(np.arange(texts), np.diff(offsets))
    features, place = np.unique(hashes, return_inverse=True)
    chosen, frequency = choose(features, place, row, words, terms)
    column = np.full(len(features), -1)
    column[chosen] = np.arange(len(chosen))
    idf = np.log((1 + texts) / (1 + frequency)) + 1
    factor = KIND_FACTORS[features[chosen] & 7]
    weight = (idf**FITTING_POWER * factor).astype(np.float32)

    kept = column[place] >= 0
    value = (1 + np.log(counts[kept])).astype(np.float32) * weight[column[place[kept]]]
    rows = sparse.csr_matrix((value, (row[kept], column[place[kept]])), shape=(texts, len(chosen)))
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(1)).ravel())
    rows = (sparse.diags(1 / np.maximum(1e-9, length)) @ rows).tocsr().astype(np.float32)

    goal, share = principal(target, words, dimensions)
    held = np.arange(texts) % 20 == 7
    direction = ridge(rows[~held], goal[~held], importance[~held])
    cosine = lambda which, d: float((unit(rows[which] @ d) * goal[which]).sum(1).mean())  # noqa: E731
    held_out = cosine(held & ~words, direction)
    direction = ridge(rows, goal, importance)
    facts = {
        "variance kept": round(share, 3),
        "cosine to the teacher, held-out prompts": round(held_out, 3),
        "cosine to the teacher, prompts": round(cosine(~words, direction), 3),
        "features": len(features),
        "terms by kind": np.bincount(features[chosen] & 7, minlength=8).tolist(),
    }
    print(json.dumps(facts), flush=True)
    write = lambda name, a: np.ascontiguousarray(a).tofile(os.path.join(folder, name))  # noqa: E731
    write("terms.hashes.u32", features[chosen])
    write("terms.weights.f32", (idf**USING_POWER * factor).astype(np.float32))
    write("terms.rows.f32", direction.astype(np.float32))
    with open(os.path.join(folder, "facts.json"), "w", encoding="utf8") as file:
        json.dump(facts, file)


def choose(features, place, row, words, terms):
    """The features that become terms: every bare word, then the most frequent in prompts."""
    in_words = words[row]
    prompts = np.bincount(place[~in_words], minlength=len(features))
    bare = np.bincount(place[in_words], minlength=len(features))
    kind = features & 7
    whole = (kind == WORD) & (bare > 0)
    often = prompts + 0.5 * bare
    eligible = (prompts < 0.5 * (~words).sum()) & ((prompts >= 3) | (bare >= 4) | whole | ((prompts > 0) & (kind == WORD)))
    score = np.where(eligible, often + np.where(whole, 1e6, 0), -1)
    order = np.argsort(-score, kind="stable")
    chosen = order[: min(terms, int(eligible.sum()))]
    # Most frequent first, which suits the processor's caches.
    chosen = chosen[np.argsort(-often[chosen], kind="stable")]
    return chosen, (prompts + bare)[chosen]


def principal(target, words, dimensions):
    mean = target[~words].mean(0)
    centred = target - mean
    variance, axes = np.linalg.eigh(centred[~words].T @ centred[~words] / (~words).sum())
    first = np.argsort(-variance)[:dimensions]
    scaled = (centred @ axes[:, first]) * variance[first] ** -0.25
    return unit(scaled).astype(np.float32), float(variance[first].sum() / variance.sum())


def ridge(rows, goal, importance):
    """argmin over D of sum_i importance_i |rows_i D - goal_i|^2 + RIDGE |D|^2, one system for all columns."""
    transposed = rows.T.tocsr()
    solution = np.zeros((rows.shape[1], goal.shape[1]), np.float32)
    residual = transposed @ (importance[:, None] * goal)
    step = residual.copy()
    squared = (residual * residual).sum(0)
    for done in range(STEPS):
        product = transposed @ (importance[:, None] * (rows @ step)) + RIDGE * step
        size = squared / np.maximum(1e-20, (step * product).sum(0))
        solution += size * step
        residual -= size * product
        now = (residual * residual).sum(0)
        step = residual + (now / np.maximum(1e-20, squared)) * step
        squared = now
        print(f"fit: step {done + 1} of {STEPS}", end="\r", flush=True)
    return solution


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
