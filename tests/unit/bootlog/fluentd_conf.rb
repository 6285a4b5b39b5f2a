# Copyright (c) 2026, diskless.ceph contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ruby fluentd_conf.rb CONFIGURATION <DATAGRAMS: do with datagrams what Fluentd's in_udp, parser_regexp and
# record_transformer do by this configuration. Datagrams are JSON, [[ADDRESS, BASE64], …], and so are the records.
require "json"

def setting(lines, name)
  lines.map { |line| line[/^\s*#{name} (.*)$/, 1] }.compact.first
end

lines = File.readlines(ARGV[0], encoding: "UTF-8", chomp: true).reject { |line| line =~ /^\s*#/ }
source = setting(lines, "expression")
raise "no expression" unless source =~ %r{\A/(.*)/m\z}m
expression = Regexp.new($1, Regexp::MULTILINE)
types = setting(lines, "types").split(",").to_h { |type| type.split(":") }
first = lines.index { |line| line.strip == "<record>" }
last = lines.index { |line| line.strip == "</record>" }
changes = lines[first + 1...last].to_h { |line| line.strip.split(" ", 2) }
removed = setting(lines, "remove_keys").split(",")

records = JSON.parse($stdin.read).map do |address, encoded|
  match = expression.match(encoded.unpack1("m").chomp) or raise "pattern not matched"
  record = match.named_captures.compact
  types.each do |name, type|
    record[name] = type == "integer" ? record[name].to_i : record[name].to_f if record[name]
  end
  record[setting(lines, "source_address_key")] = address
  # All expressions see the record as it came.
  added = changes.transform_values { |value| eval(value[/\A\$\{(.*)\}\z/, 1], binding) }
  record.merge(added).reject { |name, _| removed.include?(name) }
end
puts JSON.generate(records)
