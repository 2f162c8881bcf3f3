// Pulls an image as podman, skopeo and CRI-O do, with the library that all of them use, under a policy.
//
//	pull-with-policy POLICY REGISTRIES_D IMAGE DIRECTORY
package main

import (
	"context"
	"log"
	"os"

	"github.com/containers/image/v5/copy"
	"github.com/containers/image/v5/signature"
	"github.com/containers/image/v5/transports/alltransports"
	"github.com/containers/image/v5/types"
)

func main() {
	log.SetFlags(0)
	policy, err := signature.NewPolicyFromFile(os.Args[1])
	check(err)
	context_, err := signature.NewPolicyContext(policy)
	check(err)
	source, err := alltransports.ParseImageName("docker://" + os.Args[3])
	check(err)
	destination, err := alltransports.ParseImageName("dir:" + os.Args[4])
	check(err)
	system := &types.SystemContext{
		RegistriesDirPath:           os.Args[2],
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
	}
	_, err = copy.Image(context.Background(), context_, destination, source, &copy.Options{SourceCtx: system})
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
