// What kubectl asks of an API server when it forwards a port, answered from the manifests.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	strict "sigs.k8s.io/yaml"
)

const (
	idle   = time.Minute
	create = 10 * time.Second
)

// What was applied: the services, and of each deployment one pod that runs.
type cluster struct {
	services map[string]*corev1.Service
	pods     map[string]*corev1.Pod
}

// read takes the documents of `kubectl kustomize`, strictly: a field that Kubernetes has not is an error.
func read(from io.Reader) (*cluster, error) {
	found := &cluster{services: map[string]*corev1.Service{}, pods: map[string]*corev1.Pod{}}
	for documents := yaml.NewYAMLReader(bufio.NewReader(from)); ; {
		text, err := documents.Read()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if err := found.add(text); err != nil {
			return nil, fmt.Errorf("%w in:\n%s", err, text)
		}
	}
}

func (c *cluster) add(text []byte) error {
	var kind metav1.TypeMeta
	if err := strict.Unmarshal(text, &kind); err != nil {
		return err
	}
	switch kind.Kind {
	case "Service":
		service := &corev1.Service{}
		if err := strict.UnmarshalStrict(text, service); err != nil {
			return err
		}
		c.services[service.Namespace+"/"+service.Name] = service
	case "Deployment":
		deployment := &appsv1.Deployment{}
		if err := strict.UnmarshalStrict(text, deployment); err != nil {
			return err
		}
		pod := podOf(deployment)
		c.pods[pod.Namespace+"/"+pod.Name] = pod
	}
	return nil
}

// Which kinds there are, for a kubectl that asks.
func discovery(routes *http.ServeMux) {
	routes.HandleFunc("GET /api", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, &metav1.APIVersions{Versions: []string{"v1"}})
	})
	routes.HandleFunc("GET /apis", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, &metav1.APIGroupList{})
	})
	routes.HandleFunc("GET /api/v1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, &metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "services", Kind: "Service", SingularName: "service", ShortNames: []string{"svc"}, Namespaced: true, Verbs: []string{"get"}},
			{Name: "pods", Kind: "Pod", SingularName: "pod", Namespaced: true, Verbs: []string{"get", "list"}},
		}})
	})
}

func podOf(deployment *appsv1.Deployment) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: *deployment.Spec.Template.ObjectMeta.DeepCopy(),
		Spec:       deployment.Spec.Template.Spec,
	}
	pod.Name, pod.Namespace = deployment.Name+"-0", deployment.Namespace
	pod.UID = types.UID(pod.Name)
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	return pod
}

func (c *cluster) serve(address, pods, ready string) error {
	const place = "/api/v1/namespaces/{namespace}/"
	routes := http.NewServeMux()
	discovery(routes)
	routes.HandleFunc("GET "+place+"services/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, c.services[key(r)])
	})
	routes.HandleFunc("GET "+place+"pods/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, c.pods[key(r)])
	})
	routes.HandleFunc("GET "+place+"pods", c.list)
	routes.HandleFunc("POST "+place+"pods/{name}/portforward", func(w http.ResponseWriter, r *http.Request) {
		if c.pods[key(r)] == nil {
			http.NotFound(w, r)
			return
		}
		// By SPDY, to which kubectl turns when its WebSocket is refused. The code of the real kubelet: only what it finds at the pod's port is ours
		portforward.ServePortForward(w, r, network(pods), r.PathValue("name"), "", nil, idle, create,
			portforward.SupportedProtocols)
	})
	listening, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if err := os.WriteFile(ready, []byte(listening.Addr().String()), 0o600); err != nil {
		return err
	}
	return http.Serve(listening, routes)
}

func key(r *http.Request) string { return r.PathValue("namespace") + "/" + r.PathValue("name") }

func answer[T any](w http.ResponseWriter, object *T) {
	w.Header().Set("Content-Type", "application/json")
	if object == nil {
		w.WriteHeader(http.StatusNotFound)
		json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
			Status:   metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound,
		})
		return
	}
	json.NewEncoder(w).Encode(object)
}

func (c *cluster) list(w http.ResponseWriter, r *http.Request) {
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for _, pod := range c.pods {
		if pod.Namespace == r.PathValue("namespace") && selector.Matches(labels.Set(pod.Labels)) {
			list.Items = append(list.Items, *pod)
		}
	}
	answer(w, list)
}

// The address that stands for a pod's network.
type network string

func (n network) PortForward(ctx context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	there, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("%s:%d", n, port))
	if err != nil {
		return err
	}
	defer there.Close()
	go func() {
		io.Copy(there, stream)
		there.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, there)
	return err
}
