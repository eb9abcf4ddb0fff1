"""Training, resumable at any step."""

from clearzoom.io.user_folders import cache_folder
from clearzoom.quiet import keep_files_in

keep_files_in(cache_folder())  # before a module here loads matplotlib
