/** The one style sheet of the page; its hash is in the Content-Security-Policy. */
export const homePageStyle = `
:root { color-scheme: light dark; --ink: #1d2733; --quiet: #5d6b7a; --paper: #f7f8fa; --card: #fff; --line: #dfe4ea;
  --good: #1a7f4b; --bad: #b3261e; --wait: #8a6100; --busy: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --quiet: #9aa7b5; --paper: #12171d; --card: #1a2129;
  --line: #2c3641; --good: #5fce95; --bad: #ff8f86; --wait: #e6b450; --busy: #82b1ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; align-items: baseline; gap: 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 0 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .2rem 0; } header p, .quiet { color: var(--quiet); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
.shut, .problems { border-left: 4px solid var(--bad); }
article + article { border-top: 1px solid var(--line); margin-top: .8rem; padding-top: .8rem; }
table { width: 100%; border-collapse: collapse; } td, th { text-align: left; padding: .35rem .6rem .35rem 0;
  border-top: 1px solid var(--line); vertical-align: top; font-weight: 500; overflow-wrap: anywhere; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
dl { margin: .5rem 0 0; } dt { color: var(--quiet); font-size: .9rem; } dd { margin: 0 0 .4rem; }
dd code { display: block; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .35rem .6rem; }
ul { margin: 0; padding-left: 1.2rem; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 999px; padding: 0 .6rem;
  margin: 0 .4rem .3rem 0; font-size: .88rem; }
.badge small { font-size: .85em; opacity: .85; }
.s-passed, .s-unchecked, .s-succeeded, .s-waived { color: var(--good); }
.s-failed, .s-errored, .s-computeFailed { color: var(--bad); }
.s-blocked, .s-pending, .s-warned, .s-canceled, .s-canceling { color: var(--wait); }
.s-materializing, .s-started, .s-queued { color: var(--busy); }
.s-neverMaterialized { color: var(--quiet); }
`;
