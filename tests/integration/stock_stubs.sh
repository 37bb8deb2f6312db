#!/bin/bash
# Stubs can be made with stock rpcgen from the installed .x files, where they are, and compiled with any compiler,
# without a special option and without a warning; a client made of them places an order.
source "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)

cmake --install "$JH_BUILD" --prefix "$SCRATCH/a prefix" >"$LOGS/install.log"
cd "$SCRATCH/a prefix/share/justhungry"
for file in shop frontend replica; do
	rpcgen "$file.x" >"$LOGS/rpcgen.log" 2>&1 || fail "rpcgen $file.x: $(<"$LOGS/rpcgen.log")"
	[[ ! -s $LOGS/rpcgen.log ]] || fail "rpcgen $file.x says: $(<"$LOGS/rpcgen.log")"
done
# rpcgen's own lines are older than warnings about what is not used: only what it does by default is asked of a compiler.
read -r -a cflags <<<"$(pkg-config --cflags libtirpc)"
read -r -a libs <<<"$(pkg-config --libs libtirpc)"
compiles() { # COMPILER ARGUMENT...
	local said
	said=$("$@" "${cflags[@]}" 2>&1) || fail "$*: $said"
	[[ -z $said ]] || fail "$* says: $said"
}

compilers=(cc)
for compiler in gcc-{12..16} clang clang-{14..22}; do
	! command -v "$compiler" >/dev/null || compilers+=("$compiler")
done

form 1
number=2
for compiler in "${compilers[@]}"; do
	compiles "$compiler" -o "$SCRATCH/client" "$here/stock_stubs_client.c" -I. frontend_clnt.c frontend_xdr.c shop_xdr.c \
		"${libs[@]}"
	for skeleton in frontend_svc.c replica_svc.c replica_clnt.c replica_xdr.c; do
		compiles "$compiler" -c -o "$SCRATCH/skeleton.o" "$skeleton"
	done
	# What other compilers refuse today, older ones name when they are asked.
	compiles "$compiler" -Werror=incompatible-pointer-types -Werror=implicit-function-declaration -Werror=int-conversion \
		-fsyntax-only frontend_xdr.c shop_xdr.c replica_xdr.c frontend_clnt.c replica_clnt.c
	number=$((number + 1))
	told=$("$SCRATCH/client" "$BASE" "made by $compiler") || fail "the client by $compiler ends with $?: $told"
	[[ $told == "#$number for DH1 3LE" ]] || fail "the client by $compiler is told '$told'"
done
expect 0 'made by cc' history "DH1 3LE"
echo "compilers: ${compilers[*]}"
