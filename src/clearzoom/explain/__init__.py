"""The course chapter, idea by idea: each topic is a page with numbers and figures, made here."""
