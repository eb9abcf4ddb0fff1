--[[
Enlarge pictures from darktable by the command clearzoom.

Copy this file to ~/.config/darktable/lua/ and add the line

    require "clearzoom"

to ~/.config/darktable/luarc. After a restart, the export module has the target storage
"enlarge with clearzoom". Choose TIFF with 16 bit as the format: darktable develops the picture,
clearzoom enlarges it, and the result lies beside the original, in its group.

The preference "clearzoom: the command" says where the command is, if it is not on the path.
It needs darktable 4.2 or later.
]]

local dt = require "darktable"

local NAME, TITLE = "clearzoom", "enlarge with clearzoom"
local SCALES, MODELS = { "2", "3", "4" }, { "photo", "photo-crisp", "fast" }

local clearzoom = {}

--- Quote one word for the shell.
local function quoted(word)
  if dt.configuration.running_os == "windows" then
    return '"' .. word:gsub('"', '') .. '"'
  end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

--- Name a result beside an original: photo-x4.tif of photo.raw, or photo-x4_1.tif if that is there.
-- @param image the original, with path and filename
-- @param scale how many times larger, as text
-- @param suffix of the exported file, like ".tif"
function clearzoom.target(image, scale, suffix)
  local stem = image.filename:match("^(.+)%.[^.]*$") or image.filename
  local start = image.path .. "/" .. stem .. "-x" .. scale
  local target, number = start .. suffix, 0
  while exists(target) do
    number = number + 1
    target = start .. "_" .. number .. suffix
  end
  return target
end

--- Run the command on a file.
-- @return whether it has written the target
function clearzoom.enlarge(source, target, scale, model)
  local command = dt.preferences.read(NAME, "command", "string")
  if command == "" then command = NAME end
  local words = { command, "enlarge", source, "-o", target, "--scale", scale, "--model", model }
  for index, word in ipairs(words) do words[index] = quoted(word) end
  local line = table.concat(words, " ")
  if dt.configuration.running_os == "windows" then line = '"' .. line .. '"' end
  dt.print_log(line)
  return os.execute(line) == true
end

--- Enlarge a picture that darktable has exported, and add the result to the original's group.
-- @param image the original
-- @param exported path of the exported file, which is removed
-- @return the new picture in the library, or nil
function clearzoom.add(image, exported, scale, model)
  local target = clearzoom.target(image, scale, exported:match("%.[^.]*$") or "")
  local done = clearzoom.enlarge(exported, target, scale, model)
  os.remove(exported)
  if not done then
    dt.print("clearzoom could not enlarge " .. image.filename .. "; start darktable in a terminal to see why")
    return nil
  end
  local larger = dt.database.import(target)
  larger:group_with(image)
  dt.print(target .. " is ready")
  return larger
end

local scale, model = { value = "4" }, { value = MODELS[1] }
local widget = nil
if dt.configuration.has_gui then -- darktable-cli has neither preferences nor widgets
  dt.preferences.register(
    NAME, "command", "string", "clearzoom: the command",
    "where the command clearzoom is; empty if it is on the path", ""
  )
  scale = dt.new_widget("combobox") { label = "scale", selected = 3, table.unpack(SCALES) }
  model = dt.new_widget("combobox") { label = "model", selected = 1, table.unpack(MODELS) }
  widget = dt.new_widget("box") { orientation = "vertical", scale, model }
end

dt.register_storage(
  NAME, TITLE,
  function(_, image, _, exported)
    clearzoom.add(image, exported, scale.value, model.value)
  end,
  nil, nil, nil, widget
)

return clearzoom
