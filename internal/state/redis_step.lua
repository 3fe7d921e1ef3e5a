-- One step on one row, as Step.apply says it, with its places in the order of expiry and of keys.
-- KEYS: rows (hash), ends (sorted set), names (sorted set), spaces (set), evicted (hash), all in one slot.
local rows, ends, names, spaces, evicted = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local op, now, key, value, til = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local bound, space, channel, origin = tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]
local byPerson = channel ~= ''
local entered = byPerson

-- A row that another hand has spoilt has ended.
local function decode(raw)
	local blank = string.find(raw, ' ', 2, true)
	local til = blank and string.sub(raw, 2, blank - 1)
	if not til or not tonumber(til) then
		return false, '1', ''
	end
	return string.sub(raw, 1, 1) == 'e', til, string.sub(raw, blank + 1)
end

local function forget(member)
	redis.call('HDEL', rows, member)
	redis.call('ZREM', ends, member)
	redis.call('ZREM', names, member)
end

-- After a new row: each sweeps more than it makes.
local function settle()
	for _, member in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 4)) do
		forget(member)
	end
	local size = redis.call('HLEN', rows)
	if size == 1 then
		redis.call('SADD', spaces, space)
	end
	local over = size - bound
	local spared = 0
	while over > 0 and spared < 64 do
		local first = redis.call('ZRANGE', ends, spared, spared)[1]
		if not first then return end
		local there = redis.call('HGET', rows, first)
		if first == key or (there and decode(there)) then
			spared = spared + 1
		else
			forget(first)
			redis.call('HINCRBY', evicted, space, 1)
			over = over - 1
		end
	end
end

-- The counts of a tally by the number of their parts, from that part on, and their sum. What cannot be read counts nothing.
local function readTally(text, first)
	local counts, sum = {}, 0
	for word in string.gmatch(text, '[^ ]+') do
		local number, count = string.match(word, '^(%d+)=(%d+)$')
		number, count = tonumber(number), tonumber(count)
		if number and number < 2^52 and number >= first and count < 2^31 then
			counts[number] = math.min((counts[number] or 0) + count, 2^31 - 1)
		end
	end
	for _, count in pairs(counts) do
		sum = sum + count
	end
	return counts, sum
end

local function writeTally(counts)
	local numbers, words = {}, {}
	for number in pairs(counts) do
		numbers[#numbers + 1] = number
	end
	table.sort(numbers, function(a, b) return a > b end)
	for i, number in ipairs(numbers) do
		words[i] = string.format('%.0f=%.0f', number, counts[number])
	end
	return table.concat(words, ' ')
end

local raw = redis.call('HGET', rows, key)
local found, wasEntered, wasTil, was = false, false, '0', ''
if raw then
	wasEntered, wasTil, was = decode(raw)
	found = wasTil == '0' or now < tonumber(wasTil)
	if not found then
		wasEntered, wasTil, was = false, '0', ''
	end
end

local done, change, total = 1, 'write', 0
if op == 'delete' then
	done, change = found and 1 or 0, 'remove'
elseif op == 'swap' then
	local expects, old = ARGV[10] == '1', ARGV[11]
	if expects ~= found or (found and was ~= old) then
		done, change = 0, 'keep'
	end
elseif op == 'touch' then
	value, entered = was, entered or wasEntered
	if not found then
		done, change = 0, 'keep'
	end
elseif op == 'renew' then
	if found then
		local near = tonumber(ARGV[10])
		if wasTil == '0' or til ~= '0' and tonumber(wasTil) > near then
			done, change = 0, 'keep'
		end
		value, entered = was, entered or wasEntered
	end
elseif op == 'tally' then
	local n, most, first, part = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
	local counts
	counts, total = readTally(was, first)
	entered = entered or wasEntered
	if n < 0 then
		local taken = math.min(counts[part] or 0, -n)
		if taken > 0 then
			counts[part] = counts[part] - taken
			total, til = total - taken, wasTil
		else
			done, change = 0, 'keep'
		end
	elseif total > most - n then
		done, change = 0, 'keep'
	elseif part >= first then
		counts[part] = math.min((counts[part] or 0) + n, 2^31 - 1)
		total = total + n
	end
	value = writeTally(counts)
elseif op == 'add' then
	if found then
		if not string.match(was, '^-?%d+$') then
			return redis.error_reply('NOTNUMBER')
		end
		total, til, entered = tonumber(was), wasTil, entered or wasEntered
	end
	total = total + tonumber(ARGV[10])
	value = string.format('%.0f', total)
end

if change == 'remove' and raw then
	forget(key)
elseif change == 'write' then
	redis.call('HSET', rows, key, (entered and 'e' or 'c') .. til .. ' ' .. value)
	if not found or wasTil ~= til then
		redis.call('ZADD', ends, til == '0' and '+inf' or til, key)
	end
	if not raw then
		redis.call('ZADD', names, 0, key)
		settle()
	end
end
if done == 1 and byPerson then
	redis.call('PUBLISH', channel, origin .. ' ' .. key)
end
return {done, found and 1 or 0, was, wasTil, string.format('%.0f', total)}
