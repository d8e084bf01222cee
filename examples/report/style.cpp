#include "html.h"

namespace primer::examples {

// Colours are defined once for light and once for dark; on paper it is always light. Text has a
// contrast of at least 4.5 to its background, a curve of at least 3.
const char* const kReportStyle = R"css(
:root{color-scheme:light dark;
 --paper:#fff;--ink:#191c20;--muted:#596069;--rule:#dcdfe3;--grid:#eceef0;--wash:#f5f6f8;
 --hit:29 95 196;--miss:204 85 0;
 --c0:#1d5fc4;--c1:#b04a00;--c2:#11764a;--c3:#7a3db0;--c4:#b01f63;--c5:#4c5660}
@media screen and (prefers-color-scheme:dark){:root{
 --paper:#121417;--ink:#e6e8eb;--muted:#a0a8b2;--rule:#30353b;--grid:#23272c;--wash:#1b1e22;
 --hit:90 150 255;--miss:255 140 60;
 --c0:#86b1ff;--c1:#ffab66;--c2:#69cf9d;--c3:#c9a1f7;--c4:#ff94c2;--c5:#bcc4cd}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
 font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
 font-variant-numeric:tabular-nums}
header,nav,main,footer{max-width:77rem;margin:0 auto;padding:0 1rem}
header{padding-top:2.5rem}
h1,h2,h3,p,figure,dl,dd,table,pre,ul{margin:0}
h1{font-size:clamp(1.75rem,1.2rem + 2.4vw,2.75rem);line-height:1.12;letter-spacing:-.02em;font-weight:650;
 overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.25;letter-spacing:-.01em;font-weight:650}
h3{font-size:1rem;line-height:1.35;font-weight:650}
a{color:var(--c0);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
.eyebrow,.note,figcaption,dt,th,caption,footer{color:var(--muted)}
.eyebrow{font-size:.875rem;margin-bottom:.5rem;overflow-wrap:anywhere}
.lead{margin-top:.75rem;font-size:1.125rem;max-width:42em}
.note{font-size:.875rem;max-width:44em}
.keys{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.25rem,1fr));gap:1.25rem 1.25rem;align-items:end;
 margin:2rem 0 0;padding:1.25rem 0;border-top:2px solid var(--ink)}
.keys div{display:flex;flex-direction:column-reverse}
.keys dt{font-size:.8125rem;line-height:1.35}
.keys dd{font-size:1.375rem;line-height:1.25;font-weight:600;letter-spacing:-.01em;white-space:nowrap}
.keys div:first-child{grid-column:span 2}
.keys div:first-child dd{font-size:2.75rem;line-height:1.1;letter-spacing:-.03em}
.missing{overflow-wrap:anywhere;margin-top:1.25rem;padding:.75rem 1rem;background:var(--wash);border-left:4px solid var(--c1)}
.missing ul{padding-left:1.25rem}
nav{padding-top:.75rem;padding-bottom:.75rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;list-style:none;font-size:.875rem}
nav a{display:inline-block;padding:.25rem 0}
section{display:grid;gap:1rem 2.5rem;padding:2rem 0;border-top:1px solid var(--rule)}
section>*{min-width:0}
.head .note{margin-top:.5rem}
.run{border-top:2px solid var(--ink);margin-top:1.5rem;padding-top:1.5rem}
.run>h2{margin-bottom:1.25rem;overflow-wrap:anywhere}
@media (min-width:64rem){section{grid-template-columns:14rem minmax(0,1fr)}header{padding-top:4rem}}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,23rem),1fr));gap:2rem 2.5rem}
.charts figcaption{font-size:.875rem;margin-bottom:.5rem;max-width:44em}
.charts figcaption span{display:block}
.charts figcaption strong{display:block;font-size:1rem;font-weight:650;color:var(--ink)}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.75rem,1fr));gap:1.25rem 1rem}
.panels figcaption{display:flex;justify-content:space-between;gap:.5rem;font-size:.8125rem;line-height:1.35}
.panels figcaption span:first-child{overflow-wrap:anywhere;color:var(--ink)}
.panels.roomy{grid-template-columns:repeat(auto-fill,minmax(min(45%,13.5rem),1fr))}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;padding:0;margin-bottom:1.25rem;list-style:none;font-size:.875rem}
.legend li{display:flex;align-items:center;gap:.5rem;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:11px;fill:var(--muted);font-family:inherit}
svg.small text{font-size:9.5px}
.swatch{display:inline-block;width:2.25rem;height:.75rem;flex:none;vertical-align:baseline}
.y{text-anchor:end}.x{text-anchor:middle}
.grid{stroke:var(--grid);fill:none}.axis{stroke:var(--muted);fill:none}
.curve{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.small .curve{stroke-width:1.5}
.curve.dense{stroke-width:1.25}
.curve.faint{stroke-width:1;opacity:.55;stroke-dasharray:none}
.mark{fill:var(--paper);stroke:currentColor;stroke-width:1.5}
svg text.tag{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round;fill:currentColor;font-weight:600;font-size:12px}
svg.small text.tag{font-size:9.5px}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}
.d1{stroke-dasharray:6 4}.d2{stroke-dasharray:1.5 4}.d3{stroke-dasharray:9 4 2 4}.d4{stroke-dasharray:14 4}
.mark{stroke-dasharray:none}
@supports (grid-template-rows:subgrid){.charts figure{display:grid;grid-row:span 2;grid-template-rows:subgrid;row-gap:.25rem}}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.875rem;line-height:1.35}
caption{text-align:left;padding-bottom:.5rem}
th,td{padding:.375rem .75rem .375rem 0;text-align:right;border-bottom:1px solid var(--rule);vertical-align:baseline}
th{font-weight:400}
thead th{vertical-align:bottom}
th:first-child{text-align:left}
td:last-child,th:last-child{padding-right:0}
.wide{width:100%}
th.left{text-align:left}
.text td,.text th{text-align:left;overflow-wrap:anywhere}
.text td{min-width:8rem}
.text th{padding-right:1.5rem;overflow-wrap:normal}
.text thead th{color:var(--ink);font-weight:600}
.best{font-weight:650;white-space:nowrap}
tbody th .best{color:var(--ink)}
.two{display:grid;gap:2rem 3rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));align-items:start}
.matrix{font-size:.75rem;width:100%;table-layout:fixed;max-width:38rem}
.matrix td{padding:0;text-align:center;vertical-align:middle;border:1px solid var(--paper);height:2.375em}
.matrix th{padding:.125rem;border:0;text-align:center}
.matrix tbody th{text-align:right;vertical-align:middle;padding-right:.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.matrix.names thead th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}
.matrix thead td{border:0;height:auto}
.matrix .hit{background:rgb(var(--hit)/var(--a));font-weight:650}
.matrix .miss{background:rgb(var(--miss)/var(--a))}
.matrix .none{color:var(--muted)}
.key{display:inline-block;width:1em;height:1em;vertical-align:-.12em;border-radius:2px}
.bar{display:block;height:.625rem;min-width:1px;background:var(--c1);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bars td:nth-child(4){width:30%;min-width:3rem}
.bars td:nth-child(5){white-space:nowrap}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(30%,8.5rem),1fr));gap:1.25rem 1rem;padding:0;list-style:none}
.gallery figcaption{font-size:.8125rem;line-height:1.4;margin-top:.375rem;color:var(--ink);overflow-wrap:anywhere}
.gallery small{font-size:inherit;color:var(--muted)}
.gallery img,.nothing{width:100%;height:auto;aspect-ratio:1}
.nothing{display:grid;place-items:center;background:var(--wash);color:var(--muted);font-size:.75rem}
img{display:block;max-width:100%;height:auto;image-rendering:pixelated;background:var(--wash)}
.filters img{width:min(100%,40rem)}
pre,code{font:.8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{padding:1rem;background:var(--wash);overflow-x:auto}
code{overflow-wrap:anywhere}
summary{cursor:pointer;font-size:.875rem;padding:.25rem 0}
footer{padding-top:1.5rem;padding-bottom:3rem;font-size:.8125rem;overflow-wrap:anywhere}
@media (max-width:40rem){svg text{font-size:12.5px}svg text.tag{font-size:13px}svg.small text,svg.small text.tag{font-size:10px}
 .bars td:nth-child(4),.bars th:nth-child(4),.bar-note{display:none}
 .epochs{font-size:.75rem}th,td{padding-right:.5rem}.text td{min-width:6rem}.matrix{font-size:.6875rem}}
@media print{@page{margin:16mm}body{font-size:10pt}nav{display:none}header{padding-top:0}
 header,main,footer{padding-left:0;padding-right:0}section{padding:1.25rem 0;display:block}.head{margin-bottom:1rem;break-after:avoid}
 figure,tr,.keys,.missing{break-inside:avoid}pre,.scroll{overflow:visible;white-space:pre-wrap}
 .charts{grid-template-columns:1fr 1fr;gap:1rem}.gallery{grid-template-columns:repeat(8,1fr)}
 .matrix td{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
