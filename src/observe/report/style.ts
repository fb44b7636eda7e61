/** The look of the page: light and dark as the reader has it, light on paper. Colours after Okabe and Ito, told apart by all eyes. */
const LIGHT = `
  --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --card: #f6f8fa; --worst: rgba(213, 94, 0, .16);
  --bad: #b3260e; --others: #8c959f;
  --s0: #0072b2; --s1: #e69f00; --s2: #009e73; --s3: #d55e00; --s4: #cc79a7; --s5: #56b4e9; --s6: #7a5c1e; --s7: #6b4ea0;`;

const DARK = `
  --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --card: #161b22; --worst: rgba(255, 140, 60, .22);
  --bad: #ff8f73; --others: #6e7681;
  --s0: #3d9fe0; --s1: #f0b429; --s2: #2bc48f; --s3: #f07c33; --s4: #e29cc4; --s5: #8fd0f5; --s6: #c2a05a; --s7: #a78bdb;`;

export const STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-top: .8rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0; }
p { margin: .3rem 0; }
.soft { color: var(--soft); }
.cause { margin: .6rem 0; padding: .5rem .9rem; background: var(--card); border-left: 4px solid var(--bad); }
.cause.slight { border-left-color: var(--s1); }
figure { margin: .8rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .9rem; }
.pair { display: flex; flex-wrap: wrap; gap: 1rem; }
.pair figure { flex: 1 1 24rem; }
.scroll { overflow-x: auto; }
table { overflow-wrap: normal; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th { font-weight: 600; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
#files td:first-child, #files td.text, #drops td, #events td.text { overflow-wrap: anywhere; }
#stations { font-size: .8rem; }
#stations td { white-space: nowrap; }
td.no { color: var(--bad); font-weight: 600; }
@media print {
  :root { color-scheme: light; ${LIGHT} }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  .cause, figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  figure, .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding: .15rem .3rem; }
  #stations { font-size: 7.5pt; }
  .pair figure { flex-basis: 45%; }
}
@page { margin: 14mm; }
`;
