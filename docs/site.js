// Wide tables, which the theme wraps as it starts, and code scroll sideways: by keyboard, too.
const reach = () => {
  for (const wide of document.querySelectorAll(".md-typeset__scrollwrap, pre > code, div:has(> .dataframe)")) {
    wide.tabIndex = 0;
  }
};
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
reach();
