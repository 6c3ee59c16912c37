/**
 * How the pages look. One accent; every colour that means something stands beside a shape and a word that mean the same.
 *
 * @module
 */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f7; --surface: #ffffff; --raised: #eef1f1; --line: #d9dfe0; --strong-line: #a9b4b6;
  --ink: #172022; --soft: #4c595c; --accent: #0b6168; --accent-ground: #e0eff0;
  --good: #17694a; --fine: #2b5f94; --plain: #5b6670; --warn: #8a5200; --bad: #b0241c;
  --bad-ground: #fbeae8; --warn-ground: #fbf1df;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111617; --surface: #192021; --raised: #222b2c; --line: #2e393a; --strong-line: #566466;
    --ink: #e6ebeb; --soft: #a5b1b3; --accent: #6fcdd2; --accent-ground: #16373a;
    --good: #6fcf9f; --fine: #8ab8ee; --plain: #a9b4bf; --warn: #e6b05a; --bad: #ff8f85;
    --bad-ground: #3a1d1b; --warn-ground: #362912;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -999px; top: 0; padding: 8px 16px; background: var(--surface); z-index: 1; }
.skip:focus { left: 8px; top: 8px; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

header { background: var(--surface); border-bottom: 1px solid var(--line); }
header > div, main, footer { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header .top { display: flex; align-items: center; gap: 12px; padding-top: 12px; }
header .brand { font-weight: 650; letter-spacing: -0.01em; color: var(--ink); text-decoration: none; display: flex; gap: 8px; align-items: center; }
header .brand svg { width: 18px; height: 18px; color: var(--accent); }
header form { margin-left: auto; }
nav ul { list-style: none; margin: 0; padding: 0; display: flex; gap: 4px; overflow-x: auto; scrollbar-width: thin; }
nav a { display: block; padding: 10px 10px 8px; color: var(--soft); text-decoration: none; border-bottom: 2px solid transparent; white-space: nowrap; }
nav li:first-child a { margin-left: -10px; }
nav a:hover { color: var(--ink); border-color: var(--strong-line); }
nav a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--accent); }
nav a:focus-visible { outline-offset: -3px; }

main { padding-top: 24px; padding-bottom: 48px; }
h1 { font-size: 24px; line-height: 1.25; letter-spacing: -0.015em; margin: 0 0 4px; font-weight: 650; }
h2 { font-size: 16px; line-height: 1.4; margin: 0; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 14px; margin: 20px 0 8px; font-weight: 650; }
p { margin: 0 0 12px; max-width: 72ch; }
.lead { color: var(--soft); margin-bottom: 20px; }
.faint { color: var(--soft); }
.small { font-size: 13px; }
code, pre, .mono { font-family: var(--mono); font-size: 0.88em; }
pre { margin: 0; padding: 12px 16px; background: var(--raised); border-radius: 6px; overflow: auto; max-height: 480px; white-space: pre-wrap; }
bdi { unicode-bidi: isolate; }

section { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 16px 20px 18px; margin-bottom: 20px; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin-bottom: 12px; }
.head > :last-child:not(h2) { margin-left: auto; }
.two { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 20px; align-items: start; }

.figures { list-style: none; margin: 0 0 20px; padding: 0; display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); background: var(--line); gap: 1px; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.figures li { background: var(--surface); padding: 12px 16px 14px; }
.figures .value { display: flex; align-items: center; gap: 8px; font-size: 26px; line-height: 1.3; font-weight: 600; letter-spacing: -0.02em; }
.figures .value svg { width: 14px; height: 14px; }
.figures .label { display: block; font-size: 13px; color: var(--soft); }
.figures a { color: inherit; text-decoration: none; }
.figures a:hover .label { text-decoration: underline; }

.status { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; font-weight: 550; }
.status svg, .mark { width: 10px; height: 10px; flex: none; }
.good { color: var(--good); } .fine { color: var(--fine); } .plain { color: var(--plain); } .warn { color: var(--warn); } .bad { color: var(--bad); }

table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--soft); font-size: 13px; padding: 0 0 6px; }
th, td { text-align: left; vertical-align: top; padding: 7px 16px 7px 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 13px; padding-top: 0; white-space: nowrap; }
tbody th { font-weight: 550; min-width: 13em; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.when { white-space: nowrap; }
td.why { font-size: 13.5px; color: var(--soft); width: 38%; min-width: 15em; }
td.code { min-width: 14em; }
td.why strong { color: var(--ink); font-weight: 550; }
.numbers th, .numbers td { white-space: nowrap; min-width: 0; }
.scroll { overflow-x: auto; }

.levels { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content; gap: 0 16px; margin: 0; }
.levels > div { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: end; padding: 5px 0; border-top: 1px solid var(--line); }
.levels > div:first-child { border-top: 0; }
.levels .sum { text-align: right; }
.levels .sum b { font-weight: 600; display: block; line-height: 1.25; }
.levels .sum span { font-size: 12.5px; color: var(--soft); }
.plot { display: block; width: 100%; height: 32px; }
.plot .bar { fill: currentColor; opacity: 0.85; }
.plot .hit { fill: transparent; }
.plot g:hover .hit { fill: var(--raised); }
.axis { display: flex; justify-content: space-between; font-size: 12.5px; color: var(--soft); grid-column: 2; }
.plot.days { width: 160px; height: 24px; border-bottom: 1px solid var(--line); }
.levels .none .status { color: var(--soft); font-weight: 400; }
.levels .none b { font-weight: 400; color: var(--soft); }

.choice { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; padding: 0; margin: 0; font-size: 13.5px; }
.choice a { padding: 3px 10px; border-radius: 999px; text-decoration: none; color: var(--soft); border: 1px solid transparent; display: block; }
.choice a:hover { border-color: var(--strong-line); color: var(--ink); }
.choice a[aria-current] { background: var(--accent-ground); color: var(--accent); font-weight: 600; }

form.search { display: flex; gap: 8px; margin: 0 0 16px; max-width: 480px; }
input { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--strong-line); border-radius: 6px; padding: 6px 10px; min-width: 0; flex: 1; }
button { font: inherit; font-weight: 550; color: var(--surface); background: var(--accent); border: 1px solid var(--accent); border-radius: 6px; padding: 6px 14px; cursor: pointer; }
button.quiet { color: var(--soft); background: none; border-color: var(--line); font-weight: 400; padding: 3px 10px; font-size: 13px; }
button:hover { filter: brightness(0.94); }
.login { max-width: 420px; margin: 24px 0; }
.login label { display: block; margin-bottom: 4px; font-weight: 550; }
.login .row { display: flex; gap: 8px; margin-bottom: 12px; }

dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 20px; margin: 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; }
.empty { color: var(--soft); padding: 4px 0; margin: 0; }
.empty strong { display: block; color: var(--ink); }
.note { border-left: 3px solid var(--warn); background: var(--warn-ground); padding: 10px 16px; border-radius: 0 6px 6px 0; margin-bottom: 20px; max-width: none; }
.note.wrong { border-color: var(--bad); background: var(--bad-ground); }
.note ul { margin: 4px 0 0; padding-left: 20px; }
details summary { cursor: pointer; color: var(--accent); font-size: 13.5px; padding: 6px 0; width: max-content; max-width: 100%; }
details + details { margin-top: 0; }
.more { margin: 14px 0 0; }
footer { color: var(--soft); font-size: 13px; padding-bottom: 32px; }
footer p { max-width: none; }

@media (max-width: 820px) {
  .two { grid-template-columns: minmax(0, 1fr); }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .figures li:first-child { grid-column: 1 / -1; }
}
@media (max-width: 640px) {
  header > div, main, footer { padding-left: 16px; padding-right: 16px; }
  section { padding: 14px 16px 16px; border-radius: 6px; }
  .cards table, .cards tbody, .cards tr, .cards th, .cards td { display: block; }
  .cards thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .cards tr { border-top: 1px solid var(--line); padding: 10px 0; }
  .cards tr:first-child { border-top: 0; padding-top: 0; }
  .cards th, .cards td { border: 0; padding: 1px 0; text-align: left; white-space: normal; min-width: 0; }
  .cards td[data-label]::before { content: attr(data-label) ' '; color: var(--soft); font-size: 13px; }
  .cards td:empty { display: none; }
  .cards td.number { display: inline-block; margin-right: 16px; }
  .levels .none .plot-cell { display: none; }
  nav ul { flex-wrap: wrap; gap: 0 4px; font-size: 14px; padding-bottom: 4px; }
  nav a { padding: 5px 6px 3px; }
  nav li:first-child a { margin-left: 0; }
  nav ul { margin-left: -6px; }
  .cards td.why { width: auto; }
  .levels { grid-template-columns: minmax(0, 1fr) max-content; }
  .levels .name { grid-column: 1; grid-row: 1; align-self: center; }
  .levels .sum { grid-column: 2; grid-row: 1; }
  .levels .sum b { display: inline; }
  .levels .plot-cell { grid-column: 1 / -1; grid-row: 2; }
  .axis { grid-column: 1 / -1; }
  dl.facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dl.facts dd { margin-bottom: 8px; }
}
@media (prefers-reduced-motion: no-preference) { a, button { transition: border-color 0.1s, color 0.1s; } }
@media print { header nav, form, details { display: none; } section { break-inside: avoid; } }
`
