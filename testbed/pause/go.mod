module wahook.dev/testbed/pause

go 1.26
