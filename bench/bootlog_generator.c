/*
 * Send netconsole datagrams in the extended format from many addresses of 127.0.0.0/8 at a steady rate.
 * Usage: bootlog_generator PORT SENDERS RATE SECONDS [BURST [FIRST_SEQ]]
 * SENDERS are 127.1.0.1 and on (250 per last byte), RATE is datagrams per second of all together; each sender says BURST messages in
 * a row, as a kernel does. Prints what was sent, datagrams that the kernel refused to send, seconds, and CPU seconds.
 * Copyright (c) 2026, diskless.ceph contributors
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_BURST 64

static const struct {
	int level;
	const char *text;
} lines[] = {
	{6, "pci 0000:00:1c.0: PME# supported from D0 D3hot D3cold"},
	{6, "pci 0000:00:1f.2: reg 0x24: [mem 0xf7e35000-0xf7e357ff]\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:1f.2"},
	{6, "ACPI: PM-Timer IO Port: 0x608"},
	{5, "random: crng init done"},
	{6, "NET: Registered PF_INET6 protocol family"},
	{6, "usb 1-1: New USB device found, idVendor=1d6b, idProduct=0002, bcdDevice= 6.01\n SUBSYSTEM=usb\n DEVICE=c189:0"},
	{6, "hub 1-1:1.0: 4 ports detected\n SUBSYSTEM=usb\n DEVICE=+usb:1-1:1.0"},
	{6, "e1000e 0000:00:19.0 eth0: Intel(R) PRO/1000 Network Connection\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:19.0"},
	{4, "ACPI Warning: SystemIO range 0x0000000000000428-0x000000000000042F conflicts with OpRegion"},
	{6, "EXT4-fs (rbd0): mounted filesystem with ordered data mode. Quota mode: none."},
	{6, "libceph: mon0 (1)10.77.0.1:6789 session established"},
	{6, "rbd: rbd0: capacity 34359738368 features 0x3d"},
	{5, "audit: type=1400 audit(1760000000.123:7): apparmor=\\x22STATUS\\x22 operation=\\x22profile_load\\x22 profile=\\x22unconfined\\x22"},
	{6, "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready"},
	{6, "systemd[1]: Mounted dev-hugepages.mount - Huge Pages File System."},
	{6, "input: Power Button as /devices/LNXSYSTM:00/LNXPWRBN:00/input/input3"},
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

struct sender {
	int socket;
	unsigned long long seq, microseconds;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void begin(struct sender *sender, unsigned int number, unsigned short port, unsigned long long seq)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	own.sin_addr.s_addr = htonl(0x7f010000u + ((number / 250) << 8) + number % 250 + 1);
	sender->socket = socket(AF_INET, SOCK_DGRAM, 0);
	sender->seq = seq;
	sender->microseconds = seq * 5000;
	if (sender->socket < 0 || bind(sender->socket, (struct sockaddr *)&own, sizeof(own)) ||
	    connect(sender->socket, (struct sockaddr *)&to, sizeof(to)))
		err(1, "sender %u", number);
}

/* Returns how many datagrams the kernel has taken. */
static int say(struct sender *sender, int count)
{
	static char data[MAX_BURST][512];
	static struct iovec vectors[MAX_BURST];
	static struct mmsghdr messages[MAX_BURST];
	int number, sent;

	for (number = 0; number < count; number++) {
		unsigned int line = (sender->seq + number) % LINES;

		sender->microseconds += 137;
		vectors[number].iov_base = data[number];
		vectors[number].iov_len = snprintf(data[number], sizeof(data[number]), "%d,%llu,%llu,-;%s\n", lines[line].level,
						   sender->seq + number, sender->microseconds, lines[line].text);
		messages[number].msg_hdr.msg_iov = &vectors[number];
		messages[number].msg_hdr.msg_iovlen = 1;
	}
	sender->seq += count;
	sent = sendmmsg(sender->socket, messages, count, 0);
	return sent < 0 ? 0 : sent;
}

int main(int argc, char **argv)
{
	unsigned int senders, turn = 0, number;
	unsigned long long sent = 0, refused = 0, wanted;
	double rate, seconds, start, passed;
	struct sender *all;
	struct rusage usage;
	int burst;

	if (argc < 5)
		errx(2, "usage: %s PORT SENDERS RATE SECONDS [BURST [FIRST_SEQ]]", argv[0]);
	senders = strtoul(argv[2], NULL, 10);
	rate = strtod(argv[3], NULL);
	seconds = strtod(argv[4], NULL);
	burst = argc > 5 ? atoi(argv[5]) : 10;
	if (!senders || burst < 1 || burst > MAX_BURST)
		errx(2, "at least one sender, and bursts of 1 to %d", MAX_BURST);
	all = calloc(senders, sizeof(*all));
	if (!all)
		err(1, "memory");
	for (number = 0; number < senders; number++)
		begin(&all[number], number, strtoul(argv[1], NULL, 10), argc > 6 ? strtoull(argv[6], NULL, 10) : 0);
	start = now();
	while ((passed = now() - start) < seconds) {
		for (wanted = passed * rate; sent + refused < wanted; turn = (turn + 1) % senders) {
			int taken = say(&all[turn], burst);

			sent += taken;
			refused += burst - taken;
		}
		usleep(500);
	}
	passed = now() - start;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.3f, \"cpu_seconds\": %.2f}\n", sent, refused, passed,
	       usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	return 0;
}
