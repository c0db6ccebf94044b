#include "sim/html.h"

/* In pieces, since a string literal need not hold more than 4095 characters. */
static const char *const COLOURS =
    ":root{color-scheme:light dark;--page:#fbfbf9;--card:#fff;--ink:#1a1f24;--soft:#545d66;"
    "--rule:#d8dcdf;--faint:#eceeee;--live:#0b5f86;--room:#0b5f8614;--floor:#a8201a;"
    "--band:#f7e7e4;--out:#a9cbdf;--down:#0b5f86;--fault:#b8261f;--good:#1b6b3a;--bad:#a8201a;"
    "--mark:#fff7e0}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--page:#14181b;--card:#1b2024;"
    "--ink:#e8eaec;--soft:#a4adb5;--rule:#3a4147;--faint:#262c31;--live:#6fb9de;--room:#6fb9de1a;"
    "--floor:#ff8f82;--band:#33201f;--out:#2f5870;--down:#7cc3e8;--fault:#ff7b6e;--good:#7fd19b;"
    "--bad:#ff9a8d;--mark:#2b281b}}\n";

static const char *const PAGE =
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\","
    "sans-serif}\n"
    "main{max-width:1160px;margin:0 auto;padding:40px 24px 64px}\n"
    "section{margin-top:48px}\n"
    "h1{font-size:clamp(1.45rem,3.2vw,2.1rem);line-height:1.25;font-weight:600;margin:.3em 0 .5em;"
    "max-width:32em;text-wrap:balance}\n"
    "h2{font-size:1.2rem;font-weight:600;margin:0 0 .3em}\n"
    "h3{font-size:.95rem;font-weight:600;margin:0 0 .4em}\n"
    "p{margin:.3em 0 .9em;max-width:75ch}\n"
    "a{color:inherit}\n"
    ".eyebrow{color:var(--soft);font-size:.9rem;margin:0;max-width:none}\n"
    ".soft{color:var(--soft)}\n"
    ".good{color:var(--good)}.bad{color:var(--bad)}\n"
    ".cards{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;"
    "background:var(--rule);border:1px solid var(--rule);border-radius:8px;overflow:hidden;"
    "margin:26px 0 0;padding:0}\n"
    ".cards div{background:var(--card);padding:14px 18px}\n"
    ".cards dt{color:var(--soft);font-size:.85rem}\n"
    ".cards dd{margin:0;font-size:1.6rem;line-height:1.3;font-variant-numeric:tabular-nums}\n"
    ".cards dd.bad{font-weight:600}\n"
    ".cards .note{display:block;font-size:.82rem;line-height:1.35;color:var(--soft);"
    "font-weight:400}\n"
    "pre{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:12px 16px;"
    "overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;font:.86rem/1.5 ui-monospace,"
    "Menlo,Consolas,\"DejaVu Sans Mono\",monospace;margin:.3em 0 1.2em}\n"
    "code{overflow-wrap:anywhere}\n"
    ".glossary{display:grid;grid-template-columns:max-content 1fr;gap:7px 22px;margin:12px 0 0}\n"
    ".glossary dt{font-weight:600}\n"
    ".glossary dd{margin:0;max-width:75ch}\n"
    "@media(max-width:860px){.cards{grid-template-columns:repeat(2,1fr)}}\n"
    "@media(max-width:640px){.glossary{display:block}.glossary dd{margin-bottom:8px}"
    "main{padding:24px 16px}}\n";

static const char *const TABLES =
    ".scroll{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem;"
    "font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding-bottom:8px}\n"
    "th,td{padding:7px 9px;text-align:right;border-bottom:1px solid var(--rule);"
    "vertical-align:top;white-space:nowrap}\n"
    "thead th{font-weight:600;font-size:.82rem;line-height:1.3;vertical-align:bottom;"
    "border-bottom:2px solid var(--rule);color:var(--soft);white-space:normal}\n"
    "tbody th{font-weight:600}\n"
    "th:first-child,td:last-child,thead th:last-child{text-align:left}\n"
    "td:last-child{min-width:14em;white-space:normal}\n"
    "tbody tr.ours{background:var(--mark)}\n"
    "td.bad{font-weight:600}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:24px 40px;"
    "margin-top:26px}\n"
    "ul.violations{padding-left:1.2em}\n"
    "ul.violations li{margin:.25em 0;overflow-wrap:anywhere}\n";

static const char *const PICTURES =
    "svg{display:block;width:100%;height:auto;overflow:hidden}\n"
    ".scroll svg.wide{min-width:760px}\n"
    "svg text{fill:var(--ink);font-size:120px}\n"
    "svg .tick text,svg text.tick{fill:var(--soft);font-size:115px;"
    "font-variant-numeric:tabular-nums}\n"
    "svg .tick.small text{font-size:100px}\n"
    ".grid{stroke:var(--faint);stroke-width:10;fill:none}\n"
    ".frame{stroke:var(--rule);stroke-width:10;fill:none}\n"
    ".room{fill:var(--room)}.band{fill:var(--band)}\n"
    ".liveline{stroke:var(--live);stroke-width:18;fill:none;stroke-linejoin:round}\n"
    ".floorline{stroke:var(--floor);stroke-width:16;fill:none;stroke-dasharray:60 30}\n"
    ".setline{stroke:var(--soft);stroke-width:10;fill:none;stroke-dasharray:15 25}\n"
    ".breach{stroke:var(--bad);stroke-width:34;fill:none}\n"
    ".dot{fill:var(--page);stroke:var(--live);stroke-width:20}\n"
    "svg text.live{fill:var(--live);font-weight:600}\n"
    "svg text.floor{fill:var(--floor);font-weight:600}\n"
    ".still{fill:url(#still)}.stillline{stroke:var(--soft);stroke-width:8}\n"
    ".dead{stroke:var(--bad);stroke-width:22}\n"
    ".rows text{font-size:inherit}\n"
    ".hit{fill:transparent}g.v:hover .hit{fill:var(--mark)}\n"
    "g.v:hover text{font-weight:600}\n"
    ".out{fill:var(--out)}.down{fill:var(--down)}\n"
    ".fault{fill:url(#fault);stroke:var(--fault);stroke-width:8}\n"
    ".hatch{stroke:var(--fault);stroke-width:26}\n"
    ".bar{fill:var(--down)}.bar.broke{fill:url(#fault);stroke:var(--fault);stroke-width:8}\n"
    ".cut{stroke:var(--page);stroke-width:70}\n"
    ".need{stroke:var(--floor);stroke-width:24}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:4px 24px;list-style:none;padding:0;margin:8px 0 10px;"
    "font-size:.88rem}\n"
    ".legend li{display:flex;align-items:center;gap:8px}\n"
    ".legend svg{width:34px;height:14px;flex:none}\n"
    ".defs{position:absolute;width:0;height:0}\n";

static const char *const PAPER =
    "@page{margin:14mm}\n"
    "@media print{:root{--page:#fff}body{font-size:10pt}main{padding:0;max-width:none}"
    "section{margin-top:22px}h1{font-size:16pt}.cards{grid-template-columns:repeat(4,1fr)}"
    ".cards dd{font-size:14pt}\n"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}\n"
    "svg,tr,.cards,pre,figure{break-inside:avoid}h2,h3,caption{break-after:avoid}\n"
    ".scroll{overflow:visible}.scroll svg.wide{min-width:0}table{font-size:7.5pt}"
    "thead th{font-size:6.5pt}th,td{padding:4px}td:last-child{min-width:9em}}\n"
    "@media(prefers-contrast:more){:root{--soft:var(--ink);--rule:var(--ink)}}\n";

void html_style(FILE *out)
{
    fputs("<style>\n", out);
    fputs(COLOURS, out);
    fputs(PAGE, out);
    fputs(TABLES, out);
    fputs(PICTURES, out);
    fputs(PAPER, out);
    fputs("</style>\n", out);
}
