#!/bin/sh
# Sets up the NAT instance of the managed profile (infra/network.go). It runs once, at the first start of the instance. It installs a
# service that runs at every start and is tried again every 10 seconds until it succeeds.
set -eu

cat >/usr/local/sbin/nat <<'SCRIPT'
#!/bin/sh
set -eu

# The instance has 512 MB. Without swap the installation of a package is killed.
if [ ! -e /swapfile ]; then
	dd if=/dev/zero of=/swapfile.new bs=1M count=1024
	chmod 600 /swapfile.new
	mkswap /swapfile.new
	mv /swapfile.new /swapfile
fi
grep -q '^/swapfile ' /proc/swaps || swapon /swapfile

command -v nft >/dev/null || dnf install -y nftables

# The first line makes the table where it is missing, so that the second one can delete it in any case.
nft -f - <<'RULES'
table ip egress
delete table ip egress
table ip egress {
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname != "lo" masquerade
	}
}
RULES
sysctl -w net.ipv4.ip_forward=1
SCRIPT
chmod 755 /usr/local/sbin/nat

cat >/etc/systemd/system/nat.service <<'UNIT'
[Unit]
Description=Translate the addresses of the functions to that of this instance
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/nat
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT

systemctl daemon-reload
systemctl enable nat.service
systemctl start --no-block nat.service
