// SPDX-License-Identifier: Apache-2.0
//
// Nothing but a target for the headers that nearly every test begins with.
int main() { return 0; }
