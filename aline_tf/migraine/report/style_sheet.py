"""The style sheet of the report: one column, large type, light and dark, for phone and screen.

Blue and orange are told apart with every common form of colour blindness, and no mark is told by
its colour alone.
"""

STYLE = """
:root {
  --paper: #fafaf8; --card: #ffffff; --ink: #1c2328; --soft: #56626b; --rule: #dfe3e6;
  --blue: #0072b2; --band: rgba(0, 114, 178, .2); --orange: #c14f00; --track: #e6ebee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181b; --card: #1c2226; --ink: #e8ecee; --soft: #a7b2ba; --rule: #333c42;
    --blue: #6fc0f0; --band: rgba(111, 192, 240, .26); --orange: #f5a25d; --track: #2c353b;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 48rem; overflow-wrap: break-word;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; line-height: 1.4; margin: 0; }
p { margin: .4rem 0; }
a { color: var(--blue); }
.soft { color: var(--soft); font-size: .9rem; }
.card {
  background: var(--card); border: 1px solid var(--rule); border-radius: .75rem;
  padding: 1rem; margin: .75rem 0;
}
.pair { display: grid; gap: .75rem; margin: .75rem 0; }
.pair .card { margin: 0; }
.number { font-size: 2.6rem; line-height: 1.1; font-weight: 650; letter-spacing: -.02em; }

.track, .bar { position: relative; margin: .35rem 0; }
.track { height: 1.25rem; }
.track::before {
  content: ""; position: absolute; left: 0; right: 0; top: 50%; height: .35rem;
  margin-top: -.175rem; border-radius: .2rem; background: var(--track);
}
.track span { position: absolute; top: 50%; }
.interval {
  height: .35rem; margin-top: -.175rem; border-radius: .2rem; background: var(--blue);
  opacity: .55; min-width: 3px;
}
.dot {
  width: .9rem; height: .9rem; margin: -.45rem 0 0 -.45rem; border-radius: 50%;
  background: var(--blue); border: 2px solid var(--card);
}
.tick { width: 1px; height: 1.1rem; margin-top: -.55rem; background: var(--soft); }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem; }
.scale { position: relative; height: 1.2rem; color: var(--soft); font-size: .8rem; }
.scale span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.bar { height: .8rem; }
.bar span { position: absolute; left: 0; top: 0; height: 100%; border-radius: .2rem; }
.bar .fill { background: var(--blue); min-width: 2px; }
.bar .cost { border: 1.5px solid var(--orange); height: calc(100% + 6px); top: -3px; }
.bar.signed { background: linear-gradient(var(--soft), var(--soft)) center / 1px 100% no-repeat; }
.bar .up { background: var(--orange); min-width: 2px; }
.bar .down { background: var(--blue); min-width: 2px; }
.row { padding: .6rem 0; border-top: 1px solid var(--rule); }
.row:first-of-type { border-top: 0; }
.head {
  display: flex; flex-wrap: wrap; gap: 0 .75rem; justify-content: space-between;
  align-items: baseline;
}
.faint .track { opacity: .55; }
.faint h3 { color: var(--soft); }

ol.next { list-style: none; padding: 0; margin: 0; counter-reset: next; }
ol.next li { counter-increment: next; position: relative; padding-left: 3.4rem; }
ol.next li::before {
  content: counter(next); position: absolute; left: 1rem; top: 1rem; width: 1.6rem;
  height: 1.6rem; border-radius: 50%; background: var(--blue); color: var(--card);
  font-weight: 650; text-align: center; line-height: 1.6rem;
}

svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; font-family: inherit; }
svg .grid { stroke: var(--rule); }
svg .band { fill: var(--band); }
svg .line { fill: none; stroke: var(--blue); stroke-width: 2; stroke-linejoin: round; }
svg .now { fill: var(--blue); stroke: var(--card); stroke-width: 2; }
svg .attack { fill: var(--orange); }
svg .attack-line { stroke: var(--orange); stroke-dasharray: 2 3; opacity: .7; }
svg .none { fill: var(--soft); }
.wide { display: none; }

.legend {
  display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .85rem; color: var(--soft);
}
.legend span::before {
  content: ""; display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem;
  vertical-align: -.08rem;
}
.legend .key-line::before { background: var(--blue); height: .2rem; vertical-align: .2rem; }
.legend .key-band::before { background: var(--band); }
.legend .key-attack::before {
  background: var(--orange); width: .55rem; height: .55rem; transform: rotate(45deg);
  vertical-align: 0;
}
.legend .key-none::before {
  background: var(--soft); width: .25rem; height: .25rem; border-radius: 50%;
  vertical-align: .2rem;
}
.legend .key-cost::before { border: 1.5px solid var(--orange); }
.legend .key-gain::before { background: var(--blue); }

table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td { padding: .3rem .75rem .3rem 0; border-top: 1px solid var(--rule); vertical-align: top; }
td:last-child { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums; }
tr:first-child td { border-top: 0; }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
footer { margin-top: 2.5rem; }
.caution { border-left: .3rem solid var(--orange); }

@media (min-width: 640px) {
  body { padding: 2.5rem 2rem 4rem; }
  h1 { font-size: 2rem; }
  .pair { grid-template-columns: 1fr 1fr; }
  .wide { display: block; }
  .narrow { display: none; }
}
@media print {
  body { max-width: none; }
  .card { break-inside: avoid; }
}
"""
