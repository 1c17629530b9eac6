/** How the page of a replay looks: light and dark, on a desk, on a phone and on paper. System fonts only. @module */

export const STYLE = `
:root{color-scheme:light dark;--paper:#fcfbf9;--card:#fff;--ink:#1c2024;--quiet:#565f68;--line:#ddd8cf;--soft:#f2efe9;
--fault:#b8231a;--fault-soft:#fbe5e1;--live:#2f6da3;--live-soft:#d6e6f3;--freed:#c9a227;--freed-soft:#f6ecc9;--guard:#b9b3a8;
--unused:#f0ede7;--arena:#3d8a6d;--arena-soft:#d5ebe1;--slack:#d9c7e8;--ok:#256b45;--mono:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{--paper:#15181b;--card:#1c2024;--ink:#e8e6e1;--quiet:#a3abb3;--line:#353b41;--soft:#23282d;
--fault:#ff7a6b;--fault-soft:#4a201c;--live:#5b9fd6;--live-soft:#1d3a52;--freed:#d8b545;--freed-soft:#443913;--guard:#5c6066;
--unused:#22262a;--arena:#57b08f;--arena-soft:#1c4034;--slack:#56436a;--ok:#7cc79d}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
.kind{margin:0;font-size:.8125rem;font-weight:600;letter-spacing:.04em;text-transform:uppercase;color:var(--fault)}
h1{margin:.35em 0 .5em;font-size:clamp(1.35rem,1.05rem + 1.5vw,2.05rem);line-height:1.25;font-weight:650;letter-spacing:-.012em;max-width:32em;text-wrap:pretty;overflow-wrap:anywhere}
h2{margin:0 0 .5em;font-size:1.2rem;line-height:1.3;font-weight:650;letter-spacing:-.005em}
h3{margin:1.4em 0 .4em;font-size:.95rem;font-weight:650}
p{margin:0 0 .9em;max-width:46em;text-wrap:pretty}
.quiet{color:var(--quiet)}
section{margin:0;padding:30px 0 26px;border-top:1px solid var(--line)}
.path{list-style:none;margin:0 0 20px;padding:0;display:flex;flex-wrap:wrap;color:var(--quiet);font-size:.95rem}
.path li{overflow-wrap:anywhere}
.path li:not(:last-child)::after{content:"›";margin:0 .55em;color:var(--guard)}
.path li:last-child{color:var(--ink);font-weight:600}
.verdict{display:inline-block;margin:0 0 26px;padding:.3em .75em;border:1px solid currentColor;border-radius:4px;font-size:.9rem;font-weight:600}
.differences{margin:-16px 0 26px;padding-left:1.2em;color:var(--quiet);font-size:.9rem}
.verdict.yes{color:var(--ok)}.verdict.no{color:var(--fault)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;margin:0 0 34px;padding:0;background:var(--card);border:1px solid var(--line);border-radius:6px;overflow:hidden}
.facts div{box-shadow:-1px -1px 0 var(--line);padding:14px 16px}
.facts dt{font-size:.8125rem;color:var(--quiet)}
.facts dd{margin:2px 0 0;font-size:1.05rem;font-weight:600;line-height:1.35;overflow-wrap:anywhere}
.facts dd small{display:block;font-size:.8125rem;font-weight:400;color:var(--quiet)}
.fields{margin:0 0 .9em}
.fields div{display:grid;grid-template-columns:minmax(9em,13em) 1fr;gap:0 18px;padding:5px 0;border-bottom:1px solid var(--line)}
.fields div:last-child{border-bottom:0}
.fields dt{color:var(--quiet)}
.fields dd{margin:0;overflow-wrap:anywhere}
code,pre,.mono{font-family:var(--mono);font-size:.875em;font-variant-ligatures:none}
pre{margin:0 0 1em;padding:14px 16px;background:var(--soft);border-radius:6px;font-size:.8125rem;line-height:1.55;overflow-x:auto;tab-size:8}
pre.frame{border-left:3px solid var(--fault);border-radius:0 6px 6px 0}
.wide{overflow-x:auto;margin:0 0 1em}
figure{margin:0 0 1.4em}
figcaption{margin:.5em 0 0;font-size:.9rem;color:var(--quiet);max-width:46em}
svg{display:block;max-width:none}
.wide>svg{width:100%;height:auto}
svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;font-size:12px;fill:var(--ink)}
svg text.mono{font-family:var(--mono);font-size:11px}
svg text.quiet{fill:var(--quiet)}
svg text.fault{fill:var(--fault);font-weight:600}
svg text.on{fill:var(--card)}svg text.on-freed{fill:#1c2024}svg text.middle{text-anchor:middle}svg text.end{text-anchor:end}
.live{fill:var(--live)}.freed{fill:var(--freed)}.guard{fill:var(--guard)}.unused{fill:var(--unused);stroke:var(--line);stroke-width:.5}.arena{fill:var(--arena-soft);stroke:var(--arena);stroke-width:.5}
.live-soft{fill:var(--live-soft)}.freed-soft{fill:var(--freed-soft)}.arena-soft{fill:var(--arena-soft)}.slack{fill:var(--slack)}.soft{fill:var(--soft)}
.header-bytes{fill:var(--arena)}.access{fill:var(--fault)}.fault-soft{fill:var(--fault-soft)}
.outline{fill:none;stroke:var(--ink);stroke-width:2}.access-ring{fill:none;stroke:var(--fault);stroke-width:2.5}
.rule{stroke:var(--quiet);stroke-width:1;fill:none}.rule-fault{stroke:var(--fault);stroke-width:1.5;fill:none}.grid{stroke:var(--line);stroke-width:1}
.cell{stroke:var(--card);stroke-width:1}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:.7em 0 0;padding:0;font-size:.875rem;color:var(--quiet)}
.legend li{display:flex;align-items:center;gap:7px}
.swatch{width:14px;height:14px;flex:none}
.hex{line-height:1.75}
.hex .at{color:var(--quiet)}
.hex .in{background:var(--live-soft);box-shadow:0 -1px var(--live),0 1px var(--live)}
.hex .in.gone{background:var(--freed-soft);box-shadow:0 -1px var(--freed),0 1px var(--freed)}
.hex .first{border-left:1px solid var(--live);margin-left:-1px}
.hex .last{border-right:1px solid var(--live);margin-right:-1px}
.hex .gone.first,.hex .gone.last{border-color:var(--freed)}
.hex .bad{background:var(--fault);color:var(--card);font-weight:700;box-shadow:none;border-radius:2px}
.hex .no{color:var(--quiet);opacity:.6}
.hex .skip{color:var(--quiet);font-style:italic}
table{border-collapse:collapse;width:100%;font-size:.875rem;line-height:1.45}
caption{text-align:left;color:var(--quiet);padding:0 0 .5em;font-size:.9rem}
th{text-align:left;font-weight:600;color:var(--quiet);font-size:.8125rem;padding:6px 12px 6px 0;border-bottom:1px solid var(--guard);white-space:nowrap}
td{padding:5px 12px 5px 0;border-bottom:1px solid var(--line);vertical-align:baseline}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.value{min-width:16em;max-width:32em;overflow-wrap:anywhere}
tr.here td{background:var(--fault-soft);border-bottom-color:var(--fault)}
tr.here td:first-child{box-shadow:inset 3px 0 var(--fault)}
td:first-child,th:first-child{padding-left:10px}
.stream{min-width:720px}
footer{padding-bottom:48px;color:var(--quiet);font-size:.875rem}
footer p{max-width:none;padding-top:18px;border-top:1px solid var(--line)}
.commands{margin:0}
.commands dt{margin:0 0 2px}
.commands dt code{background:var(--soft);padding:.2em .5em;border-radius:4px}
.commands dd{margin:0 0 .9em;color:var(--quiet)}
#page-note{min-height:1.5em}
a{color:inherit}
:focus-visible{outline:2px solid var(--live);outline-offset:2px}
@media (max-width:640px){main,header,footer{padding-left:16px;padding-right:16px}header{padding-top:24px}.fields div{grid-template-columns:1fr}.fields dt{font-size:.8125rem}.wide>svg{width:auto}section{padding:24px 0 18px}pre{font-size:.75rem}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--quiet:#444}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}body{font-size:10.5pt}main,header,footer{max-width:none;padding-left:0;padding-right:0}section{break-inside:auto}figure,pre,tr,.facts{break-inside:avoid}h2,h3{break-after:avoid}.wide{overflow:visible}.wide>svg{width:100%}pre{font-size:7pt;overflow:visible}#page-note{display:none}}
`;
