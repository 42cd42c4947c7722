"""The same work as `expert-router train` with scikit-learn: TfidfVectorizer, TruncatedSVD, KMeans and MiniBatchKMeans.

Reads JSON lines with "text", and "label" and "language" where they are known; prints one JSON object. Also clusters
the vectors that expert-router made of the same prompts, when given, so that inertia is compared on equal ground.
"""
import argparse, json, resource, time

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import normalize

parser = argparse.ArgumentParser()
parser.add_argument("prompts")
parser.add_argument("--clusters", type=int, default=64)
parser.add_argument("--dimensions", type=int, default=96)
parser.add_argument("--terms", type=int, default=32768)
parser.add_argument("--restarts", type=int, default=4)
parser.add_argument("--mini-batch", action="store_true")
parser.add_argument("--vectors", help="float32 rows made by expert-router, to compare inertia on")
arguments = parser.parse_args()

rows = [json.loads(line) for line in open(arguments.prompts, encoding="utf-8")]
texts = [row["text"][:12288] for row in rows]


def nmi(labels, language):
    kept = [i for i, row in enumerate(rows) if "label" in row and language in (None, row["language"])]
    return round(normalized_mutual_info_score([rows[i]["label"] for i in kept], labels[kept]), 3) if kept else None


wall, cpu = time.time(), time.process_time()
vectorizer = TfidfVectorizer(
    analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, min_df=3, max_features=arguments.terms
)
matrix = vectorizer.fit_transform(texts)
vectors = normalize(TruncatedSVD(arguments.dimensions, random_state=0).fit_transform(matrix))
kind = MiniBatchKMeans if arguments.mini_batch else KMeans
fitted = kind(arguments.clusters, n_init=arguments.restarts, random_state=0).fit(vectors)
wall, cpu = time.time() - wall, time.process_time() - cpu
result = {
    "prompts": len(rows),
    "seconds": round(wall, 1),
    "cpuSeconds": round(cpu, 1),
    "peakMegabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    "nmi": nmi(fitted.labels_, None),
    "nmiEnglish": nmi(fitted.labels_, "en"),
    "nmiJapanese": nmi(fitted.labels_, "ja"),
}
if arguments.vectors:
    points = np.fromfile(arguments.vectors, dtype=np.float32).reshape(-1, arguments.dimensions)
    start = time.time()
    own = kind(arguments.clusters, n_init=arguments.restarts, random_state=0).fit(points)
    result["inertiaOnOurVectors"] = round(float(own.inertia_), 1)
    result["secondsOnOurVectors"] = round(time.time() - start, 1)
print(json.dumps(result))
