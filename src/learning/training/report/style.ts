/** How a training report looks. */

export const REPORT_STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5d6875;--line:#dfe4ea;--paper:#fff;--page:#f5f7f9;--bar:#9db4cf}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#98a4b1;--line:#313a45;--paper:#1a2028;--page:#12161c;--bar:#48607d}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,"Segoe UI",Roboto,"Noto Sans","Noto Sans CJK JP",sans-serif}
main{max-width:1060px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;margin:0 0 6px}h2{font-size:18px;margin:0 0 4px}h3,h4{margin:14px 0 4px;font-size:14px}
p{color:var(--soft);margin:0 0 12px;max-width:75ch}.lead{font-size:16px}
section,.tiles{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:18px 0}
.two{display:grid;grid-template-columns:1fr 1fr;gap:32px}@media(max-width:760px){.two{grid-template-columns:1fr}}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(112px,1fr));gap:14px}
.tiles div{display:flex;flex-direction:column}.tiles dd{margin:0;font-size:21px;font-weight:600;font-variant-numeric:tabular-nums}
.tiles dt{color:var(--soft);font-size:12.5px;line-height:1.3}
svg{width:100%;height:auto;display:block}.map{max-width:860px;margin:0 auto}.map circle{fill-opacity:.72}
.place{font-size:11.5px;font-weight:600;fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3.5px;stroke-linejoin:round;pointer-events:none}
details{border-top:1px solid var(--line)}summary{display:grid;grid-template-columns:14px 30px minmax(180px,1.1fr) 1fr 130px;gap:8px;align-items:center;padding:7px 0;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}summary:hover{background:color-mix(in srgb,var(--line) 35%,transparent)}
.dot{width:11px;height:11px;border-radius:50%}.number{color:var(--soft);font-variant-numeric:tabular-nums;text-align:right}
.name{font-weight:600}.bar{display:block;height:3px;background:var(--line);border-radius:2px;margin-top:3px;max-width:150px}.bar i,.size i,.w i{display:block;height:100%;border-radius:2px}
.terms{color:var(--soft);font-size:13px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.size{display:flex;align-items:center;gap:6px;height:12px}.size i{background:var(--bar)}.size b{font-size:12.5px;font-weight:500;font-variant-numeric:tabular-nums}
details ul{margin:0 0 10px;padding-left:26px}details li{margin:2px 0;overflow-wrap:anywhere}details h4{padding-left:8px}details[open] summary{border-bottom:1px dashed var(--line)}
table{border-collapse:collapse;width:100%;margin-bottom:16px}td{padding:3px 8px 3px 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.w{width:40%;padding-left:8px}.w i{background:var(--bar);height:9px}
`;
