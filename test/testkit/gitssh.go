package testkit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

// GitSSH serves files as Git does, over SSH and to the owner of a key only. It returns the URL of the
// repository and the file with the private key.
func GitSSH(t testing.TB, files map[string]string) (url, key string) {
	t.Helper()
	top := repository(t, files)
	_, hostKey := newKey(t)
	client, clientKey := newKey(t)
	block, err := ssh.MarshalPrivateKey(clientKey, "")
	if err != nil {
		t.Fatalf("write the key: %v", err)
	}
	key = filepath.Join(t.TempDir(), "id_ed25519")
	if err := os.WriteFile(key, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatalf("write the key: %v", err)
	}

	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
		if !bytes.Equal(offered.Marshal(), client.PublicKey().Marshal()) {
			return nil, os.ErrPermission
		}
		return nil, nil
	}}
	host, err := ssh.NewSignerFromKey(hostKey)
	if err != nil {
		t.Fatalf("make the key of the host: %v", err)
	}
	config.AddHostKey(host)
	l := listenSSH(t)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go serveGit(t.Context(), conn, config, filepath.Join(top, repositoryName))
		}
	}()
	ip, _, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatalf("listen for SSH: %v", err)
	}
	return "git@" + ip + ":" + repositoryName, key
}

// listenSSH listens at the port of SSH, the only one that URLs of the form git@HOST:PATH can have, on an
// address of this machine at which nobody else does.
func listenSSH(t testing.TB) net.Listener {
	t.Helper()
	for last := 2; last < 100; last++ {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:22", last)); err == nil {
			return l
		}
	}
	t.Fatalf("no address is free to listen for SSH at")
	return nil
}

func newKey(t testing.TB) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return signer, key
}

// serveGit answers one connection: whatever command it runs reads the repository.
func serveGit(ctx context.Context, conn net.Conn, config *ssh.ServerConfig, repository string) {
	defer conn.Close()
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return // not allowed, or only asked for the key of the host
	}
	defer server.Close()
	go ssh.DiscardRequests(requests)
	for incoming := range channels {
		channel, requests, err := incoming.Accept()
		if err != nil {
			return
		}
		go func() {
			defer channel.Close()
			for r := range requests {
				_ = r.Reply(r.Type == "exec" || r.Type == "env", nil)
				if r.Type != "exec" {
					continue
				}
				pack := exec.CommandContext(ctx, "git", "upload-pack", repository)
				pack.Env = append(os.Environ(), "GIT_PROTOCOL=version=2")
				pack.Stdin, pack.Stdout, pack.Stderr = channel, channel, channel.Stderr()
				status := struct{ Code uint32 }{}
				if err := pack.Run(); err != nil {
					status.Code = 1
				}
				_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
				return
			}
		}()
	}
}
