"""The look of the page."""

from typing import Final

CSS: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6877; --paper: #fbfaf8; --rule: #e3e0da; --faint: #f1efeb;
  --msk: #c96f16; --worker: #15788c; --good: #1d7a46; --bad: #bf2c23; --lag: #8a94a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #9aa5b4; --paper: #14181e; --rule: #2b323c;
  --faint: #1d232b; --msk: #eb9a49; --worker: #4fb6c9; --good: #5cc48a; --bad: #ff7d72; --lag: #76828f; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 48px 40px 32px; font-variant-numeric: tabular-nums; }
.brand, footer { color: var(--soft); font-size: 14px; }
h1 { font-size: 40px; line-height: 1.15; letter-spacing: -.02em; margin: 6px 0 12px; text-wrap: balance; }
h2 { font-size: 17px; margin: 0 0 6px; }
header p, section > p { color: var(--soft); max-width: 72ch; text-wrap: pretty; }
section { margin-top: 44px; }
.problems { margin-top: 12px; padding-left: 20px; color: var(--bad); font-size: 14px; }
.good { color: var(--good); } .bad { color: var(--bad); } .msk-text { color: var(--msk); fill: var(--msk); }
.worker-text { color: var(--worker); fill: var(--worker); }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); margin-top: 32px;
  border-block: 1px solid var(--rule); }
.figures div { padding: 16px 16px 14px 20px; border-left: 1px solid var(--rule); }
.figures div:first-child { border-left: 0; padding-left: 0; }
.figures b { display: block; font-size: 30px; line-height: 1.2; font-weight: 600; letter-spacing: -.01em; }
.figures span { color: var(--soft); font-size: 14px; }
svg { display: block; width: 100%; height: auto; overflow: visible; font-size: 12.5px; margin-top: 14px; }
.narrow { display: none; }
.grid { stroke: var(--rule); } .base { stroke: var(--lag); }
.halo { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round; }
.tick, .produced-text { fill: var(--soft); } .title { fill: var(--ink); font-size: 13.5px; } .name { font-weight: 600; }
rect.msk { fill: var(--msk); } rect.worker { fill: var(--worker); }
.produced { fill: none; stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 3 2.5; opacity: .75; }
.lag { fill: var(--lag); opacity: .22; } .lag-line { fill: none; stroke: var(--lag); stroke-width: 1.5; }
.mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 3; } .mark-text { fill: var(--ink); font-weight: 600; }
.mark.kill { stroke: var(--bad); } .mark-text.kill { fill: var(--bad); }
.mark.back { stroke: var(--soft); } .mark-text.back { fill: var(--soft); font-weight: 400; }
.bars { display: grid; grid-template-columns: minmax(150px, max-content) 1fr; gap: 12px 22px;
  align-items: center; margin-top: 16px; }
.reason { line-height: 1.3; } small { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
.bar { display: flex; align-items: center; gap: 10px; padding-right: 64px; }
.bar i { height: 22px; min-width: 2px; border-radius: 2px; background: var(--bad); opacity: .78; flex: none; }
.bar b { font-weight: 600; }
table { width: 100%; border-collapse: collapse; margin-top: 12px; }
tr { border-top: 1px solid var(--rule); } tr:last-child { border-bottom: 1px solid var(--rule); }
th { text-align: left; font-weight: 500; padding: 9px 0; color: var(--ink); }
th small { display: inline; margin-left: 10px; }
td { text-align: right; font-weight: 600; white-space: nowrap; }
tr.good td::after { content: " ✓"; } tr.bad td::after { content: " ✗"; }
footer { margin-top: 36px; }
@media (max-width: 640px) {
  main { padding: 28px 18px; } h1 { font-size: 30px; } section { margin-top: 34px; }
  .figures { grid-template-columns: 1fr 1fr; } .figures div { padding-left: 16px; }
  .figures div:nth-child(odd) { border-left: 0; padding-left: 0; }
  .figures div:nth-child(n+3) { border-top: 1px solid var(--rule); }
  .figures b { font-size: 26px; } .wide { display: none; } .narrow { display: block; }
  th small { display: block; margin-left: 0; }
  .bars { grid-template-columns: 1fr; gap: 4px; } .bar { margin-bottom: 10px; }
}
"""
