"""The course chapter, idea by idea: each topic is a page with numbers and figures, made here."""

from clearzoom.io.user_folders import cache_folder
from clearzoom.quiet import keep_files_in

keep_files_in(cache_folder())  # before a module here imports matplotlib
