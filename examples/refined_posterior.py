"""What refining a posterior costs, and how near it comes to exact: `python refined_posterior.py`.

Simulated people of the psychometric task at 30, 60 and 120 trials: the shipped model's posterior
and the refined one against quadrature on a grid.
"""

import time

import numpy as np

from aline_tf import ALINE, Session
from aline_tf.experiments.psychometric.grid_posterior import GridPosterior
from aline_tf.tasks.psychometric import SPEC, Psychometric, response_probability


def main(people: int = 8) -> None:
    model, grid = ALINE.from_preset("psychometric"), GridPosterior()
    low, high = ([getattr(p, end) for p in SPEC.parameters] for end in ("low", "high"))
    print(
        "trials  posterior  seconds  |mean - exact|/sd  sd/exact sd (threshold slope guess lapse)"
    )
    for trials in (30, 60, 120):
        rng = np.random.default_rng(trials)
        found = {False: [], True: []}
        for _ in range(people):
            theta = rng.uniform(low, high).astype(np.float32)
            stimulus = rng.uniform(-5.0, 5.0, trials).astype(np.float32)
            answer = rng.random(trials) < response_probability(theta, stimulus).numpy()
            exact = grid.marginals(stimulus[None], answer[None].astype(float), (trials,))
            mean, sd = exact.mean()[0, 0], exact.sd()[0, 0]
            for refine, rows in found.items():
                session = Session(model, [[0.0]], task=Psychometric(), refine=refine)
                for x, y in zip(stimulus, answer, strict=True):
                    session.tell([x], float(y))
                start = time.perf_counter()
                marginals = session.posterior().values()
                away = [abs(m.mean - e) / s for m, e, s in zip(marginals, mean, sd, strict=True)]
                ratio = [m.sd / s for m, s in zip(marginals, sd, strict=True)]
                rows.append([time.perf_counter() - start, np.mean(away), *ratio])
        for refine, rows in found.items():
            seconds, away, *ratio = np.median(rows, axis=0)
            name = "refined" if refine else "model's"
            print(f"{trials:6}  {name:9}  {seconds:7.3f}  {away:17.3f}  {np.round(ratio, 2)}")


if __name__ == "__main__":
    main()
