#!/usr/bin/env bash
# build_verify_deb.sh BINARY OUT_DIR: makes OUT_DIR/kustos-verify_<version>_<architecture>.deb, and prints its path. The same binary gives the
# same bytes: times are those of the changelog (or SOURCE_DATE_EPOCH), owners are root. The version is that of kustos-verify/changelog, and
# must begin with the program's own.
set -euo pipefail
binary=$(readlink -f "$1"); out=$(readlink -f "$2")
cd "$(dirname "$(readlink -f "$0")")/kustos-verify"
umask 022
export LC_ALL=C.UTF-8 TZ=UTC

version=$(sed -n '1s/^kustos-verify (\([^)]*\)).*/\1/p' changelog)
[ "$("$binary" --version)" = "kustos-verify ${version%-*}" ] || { echo "package: the changelog's version is not the program's" >&2; exit 1; }
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date -d "$(sed -n 's/^ -- .*>  //p' changelog | head -1)" +%s)}
architecture=$(dpkg --print-architecture)
# What is in the program: the source packages of the static libraries, with their versions.
built_using=$(dpkg-query -W -f '${source:Package} (= ${source:Version})\n' libc6-dev libssl-dev libsodium-dev nlohmann-json3-dev "libstdc++-12-dev" |
  sort -u | paste -sd, | sed 's/,/, /g')

root=$(mktemp -d); chmod 755 "$root"; trap 'rm -rf "$root"' EXIT
fill() { sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@BUILT_USING@|$built_using|" "$@"; }
install -D -m 755 "$binary" "$root/usr/bin/kustos-verify"
strip --strip-all --remove-section=.comment --remove-section=.note "$root/usr/bin/kustos-verify"
doc=$root/usr/share/doc/kustos-verify
install -d "$doc" "$root/usr/share/man/man1" "$root/usr/share/man/de/man1" "$root/usr/share/lintian/overrides"
gzip -9n < changelog > "$doc/changelog.Debian.gz"
fill kustos-verify.1 | gzip -9n > "$root/usr/share/man/man1/kustos-verify.1.gz"
fill kustos-verify.de.1 | gzip -9n > "$root/usr/share/man/de/man1/kustos-verify.1.gz"
install -m 644 lintian-overrides "$root/usr/share/lintian/overrides/kustos-verify"
sed -e 's/[[:space:]]*$//' -e 's/^$/./' -e 's/^/ /' ../../../LICENSE > "$root/eupl"  # a DEP-5 text: indented, a dot for an empty line
sed -e "/^@EUPL@$/{r $root/eupl" -e 'd}' copyright.in > "$doc/copyright"
rm "$root/eupl"

size=$(du -k --apparent-size -s "$root" | cut -f1)
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) > "$root/sums"
install -d "$root/DEBIAN"
mv "$root/sums" "$root/DEBIAN/md5sums"
fill -e "s|@SIZE@|$size|" control.in > "$root/DEBIAN/control"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
file=$out/kustos-verify_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$file" > /dev/null
echo "$file"
